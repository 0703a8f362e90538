"""What the decoder of Opus does to the figures of the compact model.

    python benchmarks/opus_decoders.py --data FOLDER [--most 710] [--corpora emodb ravdess ...]

FOLDER holds clips.csv and one tar per corpus, as train/README.md says: Ogg Opus at 16 kHz. Each
test clip of the card is decoded by libsndfile at 16 kHz, as the card's figures are, and as the
program does: by FFmpeg at 48 kHz, and resampled. Prints a row for each corpus: unweighted accuracy
(nine answers) of both, labels that differ, and the largest change of a score. Needs soundfile.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import soundfile

import emoscope
from card_figures import CARD, counts
from emoscope.audio.decode import decode
from emoscope.evaluate.metrics import measure
from emoscope.labels import by_key
from emoscope.recognizer import Recognizer
from emoscope.waveform import RATE_HZ, Waveform


def main() -> None:
    """Recognize the clips of each corpus twice."""
    card = json.loads(CARD.read_text("utf-8"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--most", type=int, default=710, help="clips of a corpus, evenly spread")
    parser.add_argument("--corpora", nargs="+", default=list(card["accuracy"]))
    options = parser.parse_args()
    recognizer = emoscope.load("compact", threads=1)
    print("| corpus | clips | UA, libsndfile | UA, the program | labels that differ | score |")
    print("|---|---|---|---|---|---|")
    for corpus in options.corpora:
        truth, scores = recognized(recognizer, options.data, corpus, options.most)
        accuracy = [measure(truth, each.argmax(axis=1)).ua for each in scores]
        flips = np.count_nonzero(scores[0].argmax(axis=1) != scores[1].argmax(axis=1))
        change = np.abs(scores[0] - scores[1]).max()
        cells = " | ".join(f"{one:.3f}" for one in accuracy)
        print(f"| {corpus} | {len(truth)} | {cells} | {flips} | {change:.3f} |", flush=True)


def recognized(
    recognizer: Recognizer, data: Path, corpus: str, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Truth, shape ``(n,)``, and scores by either decoder, shape ``(2, n, 9)``."""
    place = next(at for at in (data, data / "more") if (at / f"{corpus}.tar").is_file())
    with (place / "clips.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["corpus"] == corpus and counts(row)]
    rows = [rows[at] for at in np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))]
    found: list[list[np.ndarray]] = [[], []]
    with tarfile.open(place / f"{corpus}.tar") as tar:
        for row in rows:
            member = tar.extractfile(row["path"])
            assert member is not None
            file = member.read()
            samples, rate_hz = soundfile.read(io.BytesIO(file), dtype="float32")
            assert rate_hz == RATE_HZ
            for scores, sound in zip(found, (Waveform(samples), decode(file)), strict=True):
                scores.append(recognizer.recognize(sound).scores.values)
    return np.array([by_key(row["emotion"]).index for row in rows]), np.array(found)


if __name__ == "__main__":
    main()
