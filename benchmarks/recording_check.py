"""False alarms of the recording check on clean corpora, its cost, and what gets no emotion.

    python benchmarks/recording_check.py --data FOLDER [--clips 200]
    python benchmarks/recording_check.py --data FOLDER --only worse     after a filter, clipping
    python benchmarks/recording_check.py             only the abstention table

FOLDER holds clips.csv and one tar per corpus, as train/README.md says. Of the corpora that may be
tuned on, only train and dev splits are heard.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from emoscope.audio.decode import decode
from emoscope.audio.quality import check_quality
from emoscope.errors import EmoscopeError
from emoscope.recognizer import Recognizer, load
from emoscope.waveform import Waveform

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from nonspeech import SOUNDS  # noqa: E402 - the tests' sounds
from sounds import low_passed, sample, sample_names  # noqa: E402

LOW_PASSES_HZ = (2_000.0, 3_000.0, 3_400.0, 4_000.0)
GAINS_DB = (12.0, 20.0, 36.0)


def false_alarms(data: Path, clips: int) -> None:
    """One line per corpus: share of clean clips with each reason that is not its length."""
    with (data / "clips.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["role"] != "train" or r["split"] != "test"]
    print("| corpus | clips | with an alarm | of these | check of 4 s | decoding of 4 s |")
    print("|---|---|---|---|---|---|")
    for corpus in sorted({row["corpus"] for row in rows}):
        paths = [row["path"] for row in rows if row["corpus"] == corpus]
        chosen = random.Random(11).sample(paths, min(clips, len(paths)))  # noqa: S311
        alarms: Counter[str] = Counter()
        wrong, heard_s, check_s, decode_s = 0, 0.0, 0.0, 0.0
        with tarfile.open(data / f"{corpus}.tar") as tar:
            for path in chosen:
                member = tar.extractfile(path)
                assert member is not None
                content = member.read()
                began = time.process_time()
                waveform = decode(content)
                decoded = time.process_time()
                reasons = set(check_quality(waveform).reasons) - {"too_short", "too_long"}
                check_s += time.process_time() - decoded
                decode_s += decoded - began
                heard_s += waveform.duration_s
                alarms.update(reasons)
                wrong += bool(reasons)
        parts = ", ".join(f"{code} {count}" for code, count in alarms.most_common()) or "–"
        print(
            f"| {corpus} | {len(chosen)} | {100 * wrong / len(chosen):.1f} % | {parts} "
            f"| {4000 * check_s / heard_s:.0f} ms | {4000 * decode_s / heard_s:.0f} ms |",
            flush=True,
        )


def made_worse(data: Path, clips: int) -> None:
    """One line per corpus: how often a reason is given before and after a low-pass or clipping."""
    rows = [
        row
        for folder in (data, data / "more")
        for row in csv.DictReader((folder / "clips.csv").open(encoding="utf-8"))
        if row["role"] == "train" and row["split"] != "test"
    ]
    print(
        "| corpus | clips | band_limited: clean | 2 | 3 | 3.4 | 4 kHz "
        "| dc_offset: 12 | 20 | 36 dB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for corpus in sorted({row["corpus"] for row in rows}):
        paths = [row["path"] for row in rows if row["corpus"] == corpus]
        chosen = random.Random(11).sample(paths, min(clips, len(paths)))  # noqa: S311
        place = next(at for at in (data, data / "more") if (at / f"{corpus}.tar").is_file())
        hits: Counter[tuple[str, float]] = Counter()
        with tarfile.open(place / f"{corpus}.tar") as tar:
            for path in chosen:
                member = tar.extractfile(path)
                assert member is not None
                voice = decode(member.read()).samples
                made = {("band_limited", hz): low_passed(voice, hz) for hz in LOW_PASSES_HZ}
                made |= {
                    ("dc_offset", gain_db): voice / np.abs(voice).max() * 10 ** (gain_db / 20)
                    for gain_db in GAINS_DB
                }
                for (reason, how), sound in [(("band_limited", 0.0), voice), *made.items()]:
                    kept = np.round(np.clip(sound, -1, 1) * 32_767) / 32_767
                    found = check_quality(Waveform(kept.astype(np.float32)))
                    hits[reason, how] += reason in found.reasons
        columns = [("band_limited", 0.0), *(("band_limited", hz) for hz in LOW_PASSES_HZ)]
        columns += [("dc_offset", gain_db) for gain_db in GAINS_DB]
        cells = " | ".join(f"{100 * hits[one] / len(chosen):.0f} %" for one in columns)
        print(f"| {corpus} | {len(chosen)} | {cells} |", flush=True)


def abstentions(recognizer: Recognizer) -> None:
    """One line per sound: what the model would have said, and why it is not said."""
    print("| sound | the model's first class | shown |")
    print("|---|---|---|")
    sounds = {name: 0.2 * make(4.0) for name, make in SOUNDS.items()}
    sounds["digital silence"] = np.zeros(64_000)
    for name in sample_names()[::3]:
        voice = sample(name)
        loudest = min(max(0, int(np.abs(voice).argmax()) - 2_400), len(voice) - 4_800)
        sounds[f"0.3 s of {name}"] = voice[loudest : loudest + 4_800]
        sounds[f"{name} in its own level of noise"] = voice + 1.5 * voice.std() * (
            np.random.default_rng(0).standard_normal(len(voice))
        )
        sounds[name] = voice
    for name, samples in sounds.items():
        try:
            result = recognizer.recognize(Waveform(samples.astype(np.float32)))
        except EmoscopeError as error:
            print(f"| {name} | – | error `{error.code}` |")
            continue
        shown = ", ".join(f"`{code}`" for code in result.abstain) or result.emotion.key
        print(f"| {name} | {result.emotion.key} {result.confidence:.2f} | {shown} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--model", default="compact")
    parser.add_argument("--only", choices=("abstain", "alarms", "worse"))
    options = parser.parse_args()
    if options.only in (None, "abstain"):
        abstentions(load(options.model))
    if options.data is not None and options.only in (None, "alarms"):
        print()
        false_alarms(options.data, options.clips)
    if options.data is not None and options.only in (None, "worse"):
        print()
        made_worse(options.data, options.clips)


if __name__ == "__main__":
    main()
