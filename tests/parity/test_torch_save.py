"""Files that torch itself wrote read like those that the tests write, and the other way round."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from emoscope.emotion2vec.checkpoint import TorchFile
from parity.official_folder import SIZES, weights
from parity.torch_zip import write_model_pt

pytestmark = pytest.mark.slow

SAVE_AGAIN = """
import sys
import torch
read, write, dtype = sys.argv[1:]
content = torch.load(read, weights_only=True)
weights = {k: v.to(getattr(torch, dtype)) for k, v in content["model"].items()}
module = torch.nn.Module()
module.proj = torch.nn.Linear(3, 2)
state = module.state_dict()  # an OrderedDict with _metadata
state.update(weights, parameter=torch.nn.Parameter(torch.ones(2, 3).t()))
moments = {i: {"exp_avg": torch.zeros_like(v), "step": i} for i, v in enumerate(weights.values())}
torch.save({"model": state, "last_optimizer_state": {"state": moments}, "epoch": 3}, write)
"""


@pytest.mark.parametrize(
    ("dtype", "precision"), [("float32", 0.0), ("float16", 2.0**-10), ("bfloat16", 2.0**-8)]
)
def test_torch_reads_ours_and_we_read_torchs(
    dtype: str, precision: float, parity_python: Path, tmp_path: Path
) -> None:
    tensors = weights(SIZES["tiny"], 0)
    write_model_pt(tmp_path / "ours.pt", tensors)

    subprocess.run(
        [parity_python, "-c", SAVE_AGAIN, tmp_path / "ours.pt", tmp_path / "torchs.pt", dtype],
        check=True,
    )

    with closing(TorchFile(tmp_path / "torchs.pt")) as checkpoint:
        extra = {"parameter", "proj.weight", "proj.bias"}
        assert checkpoint.shapes.keys() == tensors.keys() | extra
        assert checkpoint.read("parameter").shape == (3, 2)
        for name, value in tensors.items():
            # Half precision rounds small numbers to nothing.
            np.testing.assert_allclose(checkpoint.read(name), value, rtol=precision, atol=1e-7)
