"""Make what the page shows of the samples without a model: results, and an MP3 of the long one.

    python scripts/make_sample_results.py            write them
    python scripts/make_sample_results.py --audio    make the MP3 anew as well

Run it when the built-in model or a sample was replaced, and commit what it wrote together with it.
A sample that is not answered rightly, or with a calibrated confidence below 0.6, is refused.

MP3, because every browser plays it (Safari plays Ogg Opus only since version 18.4, and Chromium
without proprietary codecs plays no AAC); encoded by LAME through PyAV.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av

import emoscope
from emoscope.paths.assets import SAMPLE_FOLDER
from emoscope.results.result import Result
from emoscope.results.samples import (
    SEQUENCE,
    Sample,
    compact_document,
    result_path,
    samples,
)
from emoscope.results.summary import emotions_in_turn

SURE = 0.6
"""Lowest calibrated confidence of a sample of one emotion."""
IN_TURN = ("neutral", "happy", "angry", "sad")
"""Emotions of the sequence."""
BIT_RATE = 48_000


def main() -> None:
    """Write the results, or say which sample is answered wrongly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--audio", action="store_true", help="make the MP3 anew")
    options = parser.parse_args()
    recognizer = emoscope.load("compact", threads=1)
    written = 0
    for sample in samples():
        result = recognize(recognizer, sample)
        if problem := problem_of(sample, result):
            sys.exit(f"{sample.file}: {problem}; choose another with scripts/pick_samples.py")
        text = json.dumps(compact_document(result), ensure_ascii=False, separators=(",", ":"))
        written += result_path(sample).write_bytes(f"{text}\n".encode())
    mp3 = SAMPLE_FOLDER / SEQUENCE.replace(".wav", ".mp3")
    if options.audio or not mp3.is_file():
        write_mp3(SAMPLE_FOLDER / SEQUENCE, mp3)
    print(
        f"{len(samples())} results, {written / 1e3:.0f} kB; MP3 {mp3.stat().st_size / 1e3:.0f} kB"
    )


def recognize(recognizer: emoscope.Recognizer, sample: Sample) -> Result:
    """Recognize a sample by frame; the result names no time of day and no duration of a step."""
    result = recognizer.recognize(sample.path, granularity="frame")
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return replace(result, created=midnight, steps=())


def problem_of(sample: Sample, result: Result) -> str:
    """Return what is wrong with an answer, or an empty string."""
    if sample.file == SEQUENCE:
        found = tuple(emotion.key for emotion in emotions_in_turn(result.segments))
        return "" if found == IN_TURN else f"its segments are {', '.join(found)}"
    if result.emotion.key != sample.emotion:
        return f"answered {result.emotion.key}"
    sure = 0.0 if result.calibrated is None else result.calibrated.confidence
    if result.abstain or sure < SURE:
        return f"its calibrated confidence is {sure:.2f}"
    return ""


def write_mp3(source: Path, target: Path) -> None:
    """Encode a recording as MP3."""
    module: Any = av
    with module.open(str(source)) as sound, module.open(str(target), "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=16_000, layout="mono")
        stream.bit_rate = BIT_RATE
        for frame in sound.decode(audio=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


if __name__ == "__main__":
    main()
