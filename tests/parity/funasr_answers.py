"""What FunASR itself answers, for comparing. Runs in an interpreter of its own, with torch.

    python tests/parity/funasr_answers.py FOLDER OUT.npz SECONDS [SECONDS ...]

Clip i is ``clips.clip(SECONDS[i], seed=i)``. OUT.npz gets ``features_i (T, D)`` and
``scores_i (9,)``, both float32 as FunASR computes them. ``make_golden.py`` says how to set up.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from parity.clips import clip


def write_answers(folder: Path, out: Path, seconds: list[float]) -> None:
    """Ask FunASR about each clip, one at a time, as it does itself."""
    from funasr import AutoModel

    write_configuration(folder)
    model = AutoModel(
        model=str(folder), device="cpu", ncpu=2, disable_update=True, disable_pbar=True
    )
    logging.disable(logging.INFO)
    answers = {}
    for i, duration_s in enumerate(seconds):
        sound = clip(duration_s, seed=i)
        (answer,) = model.generate(sound, granularity="frame", extract_embedding=True)
        answers[f"features_{i}"] = np.asarray(answer["feats"], np.float32)
        answers[f"scores_{i}"] = np.asarray(answer["scores"], np.float32)
    np.savez_compressed(out, seconds=np.array(seconds), **answers)


def write_configuration(folder: Path) -> None:
    """Write ``configuration.json``, by which FunASR takes a folder for a model."""
    metas = {
        "init_param": "model.pt",
        "tokenizer_conf": {"token_list": "tokens.txt"},
        "config": "config.yaml",
    }
    described = {
        "framework": "pytorch",
        "task": "emotion-recognition",
        "model": {"type": "funasr"},
        "file_path_metas": metas,
    }
    (folder / "configuration.json").write_text(json.dumps(described))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("seconds", type=float, nargs="+")
    args = parser.parse_args()
    write_answers(args.folder, args.out, args.seconds)


if __name__ == "__main__":
    main()
