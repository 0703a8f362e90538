"""The time axis in figures: delays, live streams, memory against duration, and a spliced truth.

    python benchmarks/time_axis.py delay                 sound to provisional row, in real time
    python benchmarks/time_axis.py streams               live streams that one machine carries
    python benchmarks/time_axis.py looks --model FOLDER --step 0.5      CPU of one stream
    python benchmarks/time_axis.py memory --to 7200      peak memory and CPU from 10 s to so long,
                                                         drawn with --picture FILE.svg
    python benchmarks/time_axis.py memory --model FOLDER --threads 1 --lengths 10 600 7200
                                                         the same of another model
    python benchmarks/time_axis.py truth --data FOLDER   ten minutes of known emotions, drawn
    python benchmarks/time_axis.py truth --data FOLDER --to 7200 --act 300
                                                         two hours, one emotion for five minutes

All on the compact model, ``looks`` (26 s at most) and ``memory`` on any. The folder of ``truth`` is
that of ``train/README.md``; only clips of its test speakers are used. The last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import wave
from pathlib import Path

import numpy as np

import emoscope
from emoscope.audio.decode import decode
from emoscope.inference.windowed import CONTEXT_S, WINDOW_S
from emoscope.labels import EMOTIONS, SILENCE, by_key
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.streaming.stream import STEP_S, FramesHeard, StreamRecognizer
from emoscope.waveform import HOP_S, RATE_HZ, Samples, Waveform

SAMPLES = Path(__file__).parents[1] / "tests" / "assets" / "samples"
PORTION_S = 0.02
CORPORA = ("ravdess", "nemo", "emodb")
PAUSE_S = 1.5
LENGTHS_S = (10, 60, 600, 3_600, 7_200)


def tape(duration_s: float) -> Samples:
    """The built-in recordings with pauses between them, over and over."""
    pause = (1e-4 * np.random.default_rng(1).standard_normal(RATE_HZ)).astype(np.float32)
    parts = [
        part for path in sorted(SAMPLES.glob("*.wav")) for part in (decode(path).samples, pause)
    ]
    return np.resize(np.concatenate(parts), round(duration_s * RATE_HZ))


def replay(recognizer: Recognizer, sound: Samples) -> list[float]:
    """Feed a stream in real time; return the delay of each provisional row in seconds."""
    stream, size = StreamRecognizer(recognizer), round(PORTION_S * RATE_HZ)
    delays: list[float] = []
    began_s = time.perf_counter()
    at = 0
    while at < len(sound):
        # As a microphone does: what has been spoken until now is handed over.
        now = min(len(sound), int((time.perf_counter() - began_s) * RATE_HZ) // size * size)
        if now <= at:
            time.sleep(PORTION_S / 4)
            continue
        for event in stream.feed(sound[at:now]):
            if isinstance(event, FramesHeard) and not event.final:
                told_s = time.perf_counter() - began_s
                frames = event.first_frame + np.arange(len(event.logits))
                delays += (told_s - (frames * HOP_S + 0.025)).tolist()
        at = now
    stream.finish()
    return delays


def delay(seconds: float) -> dict[str, float]:
    """Delay of one stream."""
    recognizer = emoscope.load("compact", threads=1)
    replay(recognizer, tape(2.0))
    return quantiles(replay(recognizer, tape(seconds)))


def quantiles(delays: list[float]) -> dict[str, float]:
    """Milliseconds."""
    median, p95 = np.percentile(delays, [50, 95]) * 1000
    return {"median_ms": round(float(median)), "p95_ms": round(float(p95)), "rows": len(delays)}


def streams(seconds: float) -> dict[str, object]:
    """Add streams until the rows of some come later than 300 ms in one of twenty cases."""
    recognizer = emoscope.load("compact", threads=1)
    sound = tape(seconds)
    replay(recognizer, tape(2.0))
    found: dict[str, object] = {}
    for count in (1, 2, 4, 8, 16, 32):
        results: list[list[float]] = [[] for _ in range(count)]

        def run(number: int, results: list[list[float]] = results) -> None:
            time.sleep(number * 0.2 / len(results))  # nobody begins to speak at the same moment
            results[number] = replay(recognizer, sound)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        cpu_s = time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cpu_s = time.process_time() - cpu_s
        figures = quantiles([value for result in results for value in result])
        found[str(count)] = {**figures, "cpu_s_per_s": round(cpu_s / seconds / count, 3)}
        print(count, found[str(count)], flush=True)
        if figures["p95_ms"] > 300:
            break
    return found


def looks(seconds: float, model: str, step_s: float) -> dict[str, object]:
    """CPU of one stream that looks every ``step_s``, on one thread; it is not fed in real time.

    A stream costs a look per step, and a window of 12 s for each 10 s that become final.
    """
    recognizer = emoscope.load(model, precision="auto", threads=1)
    # A clock that stands still: a look that takes long would make the next ones rarer.
    stream = StreamRecognizer(recognizer, step_s=step_s, clock=lambda: 0.0)
    sound, size = tape(4.0 + seconds), round(step_s * RATE_HZ)
    spent = []
    for first in range(0, round((4.0 + seconds) * RATE_HZ), size):
        began_s = time.process_time()
        stream.feed(sound[first : first + size])
        spent.append(time.process_time() - began_s)
    began_s = time.process_time()
    recognizer.recognize(Waveform(sound[: round((WINDOW_S + 2 * CONTEXT_S) * RATE_HZ)]))
    window_s = time.process_time() - began_s
    look_s = float(np.median(spent[round(4.0 / step_s) :]))  # before, a look has less to hear
    cpu_s = look_s / step_s + window_s / WINDOW_S
    return {
        "model": recognizer.model.name,
        "precision": recognizer.model.precision,
        "look_cpu_s": round(look_s, 3),
        "window_cpu_s": round(window_s, 2),
        "cpu_s_per_s": round(cpu_s, 3),
        "streams_per_free_core": round(1 / cpu_s, 2),
    }


ASK = """
import json, resource, sys, time
import emoscope
recognizer = emoscope.load(sys.argv[2], precision="auto", threads=int(sys.argv[3]))
cpu_s, wall_s = time.process_time(), time.perf_counter()
recognizer.recognize(sys.argv[1])
print(json.dumps({
    "cpu_s": round(time.process_time() - cpu_s, 1),
    "wall_s": round(time.perf_counter() - wall_s, 1),
    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
}))
"""


def memory(
    lengths_s: list[int], picture: Path | None, model: str, threads: int
) -> dict[str, dict[str, float]]:
    """Peak memory and CPU of fresh processes, drawn against the length of the sound."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seconds in lengths_s:
            path = Path(folder) / "tape.wav"
            write_wav(path, seconds)
            done = subprocess.run(
                [sys.executable, "-c", ASK, str(path), model, str(threads)],
                check=True,
                capture_output=True,
                text=True,
            )
            found[str(seconds)] = json.loads(done.stdout)
            print(seconds, found[str(seconds)], flush=True)
    if picture is not None:
        picture.write_text(draw_memory(found), "utf-8")
    return found


def draw_memory(found: dict[str, dict[str, float]]) -> str:
    """Peak memory over the length of the sound, which grows tenfold from mark to mark."""
    width, height, most_mb = 640, 240, 200

    def place(seconds: float, peak_mb: float) -> tuple[float, float]:
        return 50 + 190 * (np.log10(seconds) - 1), height - 30 - 190 * peak_mb / most_mb

    marks = []
    for peak_mb in range(0, most_mb + 1, 50):
        _, y = place(10, peak_mb)
        marks.append(
            f'<line x1="50" x2="{width - 10}" y1="{y}" y2="{y}" stroke="#ddd"/>'
            f'<text x="44" y="{y + 4}" text-anchor="end">{peak_mb}</text>'
        )
    for seconds, word in (
        (10, "10 s"),
        (60, "1 min"),
        (600, "10 min"),
        (3600, "1 h"),
        (7200, "2 h"),
    ):
        x, y = place(seconds, 0)
        marks.append(f'<text x="{x:.0f}" y="{y + 18}" text-anchor="middle">{word}</text>')
    points = [place(float(seconds), one["peak_mb"]) for seconds, one in found.items()]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#1f6feb"/>' for x, y in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11"><rect width="{width}" height="{height}" '
        f'fill="white"/>{"".join(marks)}<text x="8" y="14">MB</text>'
        f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-width="2"/>{dots}</svg>\n'
    )


def write_wav(path: Path, seconds: int) -> None:
    """So many seconds of tape, a minute at a time."""
    minute = (tape(60.0) * 32_767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        left = seconds * RATE_HZ
        while left > 0:
            out.writeframes(minute[:left].tobytes())
            left -= len(minute)


def splice(
    data: Path, duration_s: float, act_s: float, split: str = "test"
) -> tuple[Samples, list[tuple[float, float, str]]]:
    """Clips of test speakers with near silence between them, and where each is.

    In random order, or for ``act_s`` seconds each from one emotion; a clip may come again.
    """
    with (data / "clips.csv").open(encoding="utf-8", newline="") as lines:
        clips = [
            row
            for row in csv.DictReader(lines)
            if row["corpus"] in CORPORA and row["split"] == split
        ]
    rng = np.random.default_rng(0)
    rng.shuffle(clips)  # type: ignore[arg-type]  # a list will do
    acts = sorted({clip["emotion"] for clip in clips})
    rng.shuffle(acts)
    archives = {corpus: tarfile.open(data / f"{corpus}.tar") for corpus in CORPORA}  # noqa: SIM115 - for as long as this runs
    parts, truth, at = [], [], 0
    while at <= duration_s * RATE_HZ:
        place = 0
        if act_s:
            act = acts[int(at / RATE_HZ / act_s) % len(acts)]
            place = next(k for k, one in enumerate(clips) if one["emotion"] == act)
        clip = clips.pop(place)
        clips.append(clip)
        file = archives[clip["corpus"]].extractfile(clip["path"])
        assert file is not None
        sound = decode(file.read()).samples
        sound = sound * np.float32(0.05 / max(1e-4, float(np.sqrt(np.mean(sound**2)))))
        pause = (1e-4 * rng.standard_normal(round(PAUSE_S * RATE_HZ))).astype(np.float32)
        truth.append((at / RATE_HZ, (at + len(sound)) / RATE_HZ, clip["emotion"]))
        parts += [np.clip(sound, -1, 1), pause]
        at += len(sound) + len(pause)
    return np.concatenate(parts), truth


def truth(data: Path, duration_s: float, act_s: float, picture: Path | None) -> dict[str, object]:
    """Compare what is read with what was spliced."""
    sound, spans = splice(data, duration_s, act_s)
    recognizer = emoscope.load("compact")
    result = recognizer.recognize(Waveform(sound, name="spliced"), granularity="frame")
    assert result.track is not None
    middles = np.arange(len(result.track)) * HOP_S + 0.0125
    real = np.full(len(middles), -1)
    for start_s, end_s, key in spans:
        real[(middles >= start_s) & (middles < end_s)] = by_key(key).index
    read = np.full(len(middles), -1)
    for segment in result.segments:
        span = segment.span
        read[(middles >= span.start_s) & (middles < span.end_s)] = segment.emotion.index
    raw, spoken = result.track.scores.argmax(axis=1), real >= 0
    both = spoken & (read >= 0)
    alone = [
        recognizer.recognize(Waveform(sound[round(s * RATE_HZ) : round(e * RATE_HZ)]))
        for s, e, _ in spans
    ]
    hits = [one.emotion.key == key for one, (_, _, key) in zip(alone, spans, strict=True)]
    figures: dict[str, object] = {
        "duration_s": round(result.duration_s, 1),
        "clips": len(spans),
        "clips_alone_right": round(float(np.mean(hits)), 3),
        "frames_right": round(float((raw == real)[spoken].mean()), 3),
        "frames_right_in_segments": round(float((read == real)[both].mean()), 3),
        "recall_mean": round(
            float(np.mean([(read == c)[both & (real == c)].mean() for c in set(real[both])])), 3
        ),
        "silence_found": round(float((read == -1)[~spoken].mean()), 3),
        "speech_lost": round(float((read == -1)[spoken].mean()), 3),
        "segments": len(result.segments),
    }
    if act_s:
        acts = [
            np.flatnonzero((middles // act_s == k) & both) for k in range(int(duration_s / act_s))
        ]
        leading = [(_most(read[act]), _most(real[act])) for act in acts]
        figures["acts_led_by_their_own"] = f"{sum(a == b for a, b in leading)} of {len(acts)}"
        figures["acts_lost"] = sorted({EMOTIONS[b].key for a, b in leading if a != b})
    if picture is not None:
        drawn = draw_acts(result, spans) if act_s else draw(result, spans)
        picture.write_text(drawn, "utf-8")
    return figures


def _most(indices: np.ndarray) -> int:
    return int(np.bincount(indices).argmax())


ACT_SMOOTHING_S = 60.0


def draw_acts(result: Result, spans: list[tuple[float, float, str]]) -> str:
    """The curve of the whole, a minute smooth, with what is read and what was spliced under it.

    Read is the share of each emotion in a minute's segments, stacked; silence is left out.
    """
    assert result.track is not None
    width, minutes = 1_600, int(result.duration_s // 60)
    scale = width / (minutes * 60)
    curve = result.track.smoothed(ACT_SMOOTHING_S)[::1000]
    lines = []
    for emotion in EMOTIONS:
        points = " ".join(
            f"{1000 * k * HOP_S * scale:.1f},{200 - 300 * row[emotion.index]:.1f}"
            for k, row in enumerate(curve)
        )
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{emotion.colour}" stroke-width="2"/>'
        )
    read = [(s.span.start_s, s.span.end_s, s.emotion) for s in result.segments]
    spliced = [(start_s, end_s, by_key(key)) for start_s, end_s, key in spans]
    for top, name, rows in ((230, "read", read), (300, "true", spliced)):
        lines.append(f'<text x="4" y="{top - 5}" font-size="13">{name}</text>')
        for minute in range(minutes):
            held = dict.fromkeys(EMOTIONS, 0.0)
            for start_s, end_s, emotion in rows:
                inside = min(end_s, minute * 60 + 60) - max(start_s, minute * 60)
                if inside > 0 and emotion is not SILENCE:
                    held[emotion] += inside
            y, whole = float(top), sum(held.values()) or 1.0
            for emotion, share in held.items():
                if not share:
                    continue
                high = 40 * share / whole
                lines.append(
                    f'<rect x="{minute * 60 * scale:.1f}" y="{y:.1f}" width="{60 * scale:.1f}" '
                    f'height="{high:.1f}" fill="{emotion.colour}"/>'
                )
                y += high
    lines += [
        f'<text x="{minute * 60 * scale:.0f}" y="362" font-size="12">{minute} min</text>'
        for minute in range(0, minutes + 1, 10)
    ]
    lines += [
        f'<rect x="{140 * k}" y="376" width="14" height="14" fill="{emotion.colour}"/>'
        f'<text x="{140 * k + 20}" y="388" font-size="13">{emotion.key}</text>'
        for k, emotion in enumerate(EMOTIONS)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 400" '
        f'font-family="sans-serif"><rect width="{width}" height="400" fill="white"/>'
        f"{''.join(lines)}</svg>\n"
    )


def draw(result: Result, spans: list[tuple[float, float, str]]) -> str:
    """The curve of the first two minutes with what is read and what was spliced under it."""
    assert result.track is not None
    shown_s, width = 120.0, 1_600
    scale = width / shown_s
    curve = result.track.smoothed(0.6)[: round(shown_s / HOP_S) : 5]
    lines = []
    for emotion in EMOTIONS:
        points = " ".join(
            f"{5 * k * HOP_S * scale:.1f},{200 - 180 * row[emotion.index]:.1f}"
            for k, row in enumerate(curve)
        )
        lines.append(f'<polyline points="{points}" fill="none" stroke="{emotion.colour}"/>')
    rows = {
        "read": [(s.span.start_s, s.span.end_s, s.emotion) for s in result.segments],
        "true": [(start_s, end_s, by_key(key)) for start_s, end_s, key in spans],
    }
    for top, (name, row) in zip((225, 270), rows.items(), strict=True):
        lines.append(f'<text x="4" y="{top - 4}" font-size="12">{name}</text>')
        for start_s, end_s, emotion in row:
            if start_s >= shown_s or emotion is SILENCE:
                continue
            left, wide = start_s * scale, (min(end_s, shown_s) - start_s) * scale
            lines.append(
                f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="24" '
                f'fill="{emotion.colour}" opacity="0.7"/>'
                f'<text x="{left + 3:.1f}" y="{top + 16}" font-size="11">{emotion.key[:5]}</text>'
            )
    lines += [
        f'<text x="{second * scale:.0f}" y="312" font-size="11">{second} s</text>'
        for second in range(0, int(shown_s) + 1, 10)
    ]
    body = "".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 320" '
        f'font-family="sans-serif"><rect width="{width}" height="320" fill="white"/>{body}</svg>\n'
    )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["delay", "streams", "looks", "memory", "truth"])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--model", default="compact")
    parser.add_argument("--step", type=float, default=STEP_S)
    parser.add_argument("--to", type=float, default=600.0)
    parser.add_argument("--lengths", type=int, nargs="*", help="seconds, instead of --to")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as cores")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--act", type=float, default=0.0, help="seconds; 0: any order")
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    if asked.what == "truth" and asked.data is None:
        parser.error("truth needs --data")
    figures = {
        "delay": lambda: delay(asked.seconds),
        "streams": lambda: streams(asked.seconds),
        "looks": lambda: looks(asked.seconds, asked.model, asked.step),
        "memory": lambda: memory(
            asked.lengths or [one for one in LENGTHS_S if one <= asked.to],
            asked.picture,
            asked.model,
            asked.threads,
        ),
        "truth": lambda: truth(asked.data, asked.to, asked.act, asked.picture),
    }[asked.what]()
    load = [round(value, 1) for value in os.getloadavg()]
    own_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
    print(json.dumps({asked.what: figures, "load": load, "own_peak_mb": own_mb}))


if __name__ == "__main__":
    main()
