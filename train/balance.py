"""How much each view counts: a few numbers fitted on the dev split, nothing else.

Two factors (network, experts) and one offset per class minimise the nine-class cross-entropy,
with every corpus and, within it, every class counting alike. The factors also set how sure the
answers sound; the offsets stay small by a penalty, and `unknown`, of which dev has no clip, has
none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from data import EMOTIONS, UNKNOWN, Clip

OFFSET_SPREAD = 0.3  # offsets much larger than this are not believed
BELIEF = 100.0  # how many balanced clips the penalty is weighed against


def fit_balance(
    network_logits: np.ndarray, expert_logits: np.ndarray, clips: Sequence[Clip]
) -> tuple[float, float, Tensor]:
    """Factor of the network, factor of the experts, offsets `(9,)`; logits are `(clips, 9)`."""
    views = torch.from_numpy(np.stack([network_logits, expert_logits])).double()
    truth = torch.tensor([clip.emotion for clip in clips])
    kinds = Counter((clip.corpus, clip.emotion) for clip in clips)
    classes = Counter(corpus for corpus, _ in kinds)
    corpora = len(classes)
    weight = torch.tensor(
        [1.0 / kinds[c.corpus, c.emotion] / classes[c.corpus] / corpora for c in clips]
    ).double()
    free = torch.ones(len(EMOTIONS)).double()
    free[UNKNOWN] = 0.0
    factors = torch.full((2,), 0.5, dtype=torch.float64, requires_grad=True)
    offsets = torch.zeros(len(EMOTIONS), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([factors, offsets], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        logits = (factors[:, None, None] * views).sum(dim=0) + offsets * free
        loss = (functional.cross_entropy(logits, truth, reduction="none") * weight).sum()
        loss = loss + 0.5 * ((offsets / OFFSET_SPREAD) ** 2).sum() / BELIEF
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    of_network, of_experts = factors.detach().clamp(min=0.0).tolist()
    return of_network, of_experts, (offsets * free).detach().float()
