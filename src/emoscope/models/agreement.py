"""Agreement of a model variant with the exact model: figures and thresholds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MIN_COSINE = 0.998
MAX_SCORE_DIFFERENCE = 0.05


@dataclass(frozen=True, slots=True)
class AgreementThresholds:
    """Thresholds that a variant has to reach before it is used."""

    min_cosine: float = MIN_COSINE
    max_score_difference: float = MAX_SCORE_DIFFERENCE


AGREEMENT_THRESHOLDS = AgreementThresholds()


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of a variant with the exact model on the same clips."""

    clips: int
    same_top: int
    """Clips with the same emotion in front."""
    cosine: float
    """Between the frame embeddings, mean over all frames of all clips."""
    lowest_cosine: float
    """Of the clip with the lowest mean."""
    score_difference: float
    """The largest of any emotion in any clip."""
    speedup: float
    """CPU seconds of the exact model by those of the variant, on the machine that compared."""

    def failures(self, thresholds: AgreementThresholds) -> list[str]:
        """What stays below the bar, as figures that need no language; empty if all is well."""
        found = []
        # Written so that NaN fails.
        if not self.cosine >= thresholds.min_cosine:
            found.append(f"cosine {self.cosine:.4f} < {thresholds.min_cosine:g}")
        if not (self.clips and self.same_top == self.clips):
            found.append(f"top-1 {self.same_top}/{self.clips}")
        if not self.score_difference <= thresholds.max_score_difference:
            found.append(
                f"|Δscore| {self.score_difference:.3f} > {thresholds.max_score_difference:g}"
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """As in the card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Agreement:
        """Read what ``to_dict`` wrote."""
        return cls(
            clips=int(data["clips"]),
            same_top=int(data["same_top"]),
            cosine=float(data["cosine"]),
            lowest_cosine=float(data["lowest_cosine"]),
            score_difference=float(data["score_difference"]),
            speedup=float(data["speedup"]),
        )
