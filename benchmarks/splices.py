"""Do frames keep their emotion beside other clips? Splices of one speaker's clips.

    python benchmarks/splices.py --data FOLDER [--model compact] [--splices 60]

FOLDER is that of train/README.md. Each splice has six test clips of one speaker of ravdess, nemo or
emodb, half a second of pause between them. Frames further than a second from both ends of their
clip are compared with the same frames when the clip is heard alone. The last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import tarfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from emoscope.audio.decode import decode
from emoscope.labels import by_key
from emoscope.recognizer import Recognizer, load
from emoscope.waveform import RATE_HZ, Samples, Waveform

CORPORA = ("ravdess", "nemo", "emodb")
CLIPS = 6
PAUSE_S, FAR_S = 0.5, 1.0
HOP = 320


def main() -> None:
    """Splice, recognize, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="compact")
    parser.add_argument("--splices", type=int, default=60)
    options = parser.parse_args()
    recognizer = load(options.model, threads=1)
    random = np.random.default_rng(0)
    by_speaker = clips_by_speaker(options.data)
    speakers = sorted(by_speaker)
    pause = np.zeros(round(PAUSE_S * RATE_HZ), np.float32)
    kept = frames = right_alone = right_spliced = 0
    for number in range(options.splices):
        clips = by_speaker[speakers[number % len(speakers)]]
        chosen = [clips[at] for at in random.permutation(len(clips))[:CLIPS]]
        # Clips begin on the grid of frames, so that frame k of the one is a frame of the other.
        parts, starts, at = [], [], 0
        for samples, _ in chosen:
            starts.append(at // HOP)
            whole = np.concatenate([samples, pause])
            whole = whole[: len(whole) // HOP * HOP]
            parts.append(whole)
            at += len(whole)
        noise = 1e-5 * random.standard_normal(at).astype(np.float32)
        spliced = answers(recognizer, np.concatenate(parts) + noise)
        for (samples, emotion), start in zip(chosen, starts, strict=True):
            alone = answers(recognizer, samples)
            far = round(FAR_S * RATE_HZ / HOP)
            inner = slice(far, len(alone) - far)
            here = spliced[start : start + len(alone)][inner]
            kept += int((alone[inner] == here).sum())
            right_alone += int((alone[inner] == emotion).sum())
            right_spliced += int((here == emotion).sum())
            frames += len(here)
    print(
        json.dumps(
            {
                "model": options.model,
                "splices": options.splices,
                "frames": frames,
                "kept": round(kept / frames, 4),
                "right_alone": round(right_alone / frames, 4),
                "right_spliced": round(right_spliced / frames, 4),
            }
        )
    )


def answers(recognizer: Recognizer, samples: Samples) -> np.ndarray:
    """First emotion of every frame, `(T,)`."""
    result = recognizer.recognize(Waveform(samples), granularity="frame")
    assert result.track is not None
    return np.asarray(result.track.logits.argmax(axis=1))


def clips_by_speaker(data: Path) -> dict[str, list[tuple[Samples, int]]]:
    """Test clips of more than two seconds: samples and emotion, by speaker."""
    rows = defaultdict(list)
    with (data / "clips.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["corpus"] in CORPORA and row["split"] == "test":
                rows[row["corpus"]].append(row)
    found: dict[str, list[tuple[Samples, int]]] = defaultdict(list)
    for corpus, listed in rows.items():
        with tarfile.open(data / f"{corpus}.tar") as tar:
            for row in listed:
                member = tar.extractfile(row["path"])
                assert member is not None
                samples = decode(member.read()).samples
                if len(samples) > 2.4 * RATE_HZ:
                    found[row["speaker"]].append((samples, by_key(row["emotion"]).index))
    return {speaker: clips for speaker, clips in found.items() if len(clips) >= CLIPS}


if __name__ == "__main__":
    main()
