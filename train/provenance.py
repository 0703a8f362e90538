"""What the built-in model was trained on, as hashes and names, written beside it.

    python train/provenance.py --data FOLDER

FOLDER holds clips.csv and one tar per corpus, as README.md says. Of each clip two hashes are kept,
eight bytes each: that of the file as its corpus publishes it, which the list has, and that of the
file in the tar. `emoscope evaluate` compares them with what it is given. Valid for one file of the
model: run this again after another model is packed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import files
from emoscope.evaluate.provenance import TrainingRecord, plain_corpus, plain_speaker, prefix_of
from emoscope.models.catalog import COMPACT, find
from spaces import rows_of, sound_of

TARGET = Path(__file__).parent.parent / "src/emoscope/assets/compact.training.npz"
AGREED = 0.5
"""Of cremad's clips beyond training only those count whose emotion half of the listeners heard."""


def was_used(row: Mapping[str, str]) -> bool:
    """Whether a clip was trained or chosen on, by the rules of data.py."""
    is_fair = row["split"] == "train" or row["corpus"] != "cremad"
    is_fair = is_fair or (
        row["emotion"] in ("happy", "sad") and float(row["rater_agreement"] or 0) >= AGREED
    )
    return row["role"] == "train" and bool(row["emotion"]) and is_fair


def main() -> None:
    """Hash the clips of the train and dev splits and write the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=TARGET)
    given = parser.parse_args()
    digests: dict[str, set[int]] = {"train": set(), "dev": set()}
    speakers: dict[str, set[str]] = {"train": set(), "dev": set()}
    corpora, tars, clips = set(), dict[str, tarfile.TarFile](), 0
    for row, folder in rows_of(given.data):
        split = row["split"]
        if split not in digests or not was_used(row):
            continue
        clips += split == "train"
        used = hashlib.sha256(sound_of(row, folder, tars)).hexdigest()
        digests[split] |= {prefix_of(one) for one in (used, row["sha256"]) if one}
        speakers[split].add(plain_speaker(row["corpus"], row["speaker"]))
        corpora.add(plain_corpus(row["corpus"]))
    record = TrainingRecord(
        find(COMPACT).card.files[0].sha256,
        np.array(sorted(digests["train"]), np.uint64),
        np.array(sorted(digests["dev"]), np.uint64),
        frozenset(speakers["train"]),
        frozenset(speakers["dev"]),
        tuple(sorted(corpora)),
    )
    file = io.BytesIO()
    record.write(file)
    files.write(file.getvalue(), given.out)
    print(
        f"{given.out.name}: {len(file.getvalue())} bytes, {clips} clips, "
        f"{len(record.trained_speakers)} speakers, {', '.join(record.corpora)}"
    )


if __name__ == "__main__":
    main()
