"""Are utterances found where clips were spliced, and answered as the clips alone?

    python benchmarks/utterances.py --data FOLDER [--split test] [--splices 60] [--model compact]
    python benchmarks/utterances.py --data FOLDER --split dev --grid

FOLDER is that of train/README.md. A splice has six clips of ravdess, nemo or emodb, by one
speaker or by two in turn, cut to their speech, with pauses of one length between them. An
utterance is found where both of its ends are within 0.2 s of a clip's. A clip is right where the
utterance (or the segment of the frame curve) that covers most of it has its emotion. `--grid` looks
for rules: F1 over pauses and paddings, without the model. The last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from emoscope.audio.decode import decode
from emoscope.audio.utterance_cutter import UtteranceCutter
from emoscope.labels import Emotion, by_key
from emoscope.recognizer import Recognizer, load
from emoscope.results.utterances import UTTERANCE_RULES, UtteranceRules, utterance_rules
from emoscope.waveform import RATE_HZ, Samples, Span, Waveform

CORPORA = ("ravdess", "nemo", "emodb")
CLIPS = 6
PAUSES_S = (0.3, 0.5, 0.8, 1.2)
NEAR_S = 0.2
SOFT_DB = 30.0
"""Sound this far under the loudest frames of a clip, before and after, is no speech."""
FRAME = 400


@dataclass(frozen=True)
class Spoken:
    """A clip: its sound as recorded, the same cut to its speech, and its emotion."""

    whole: Samples
    speech: Samples
    emotion: Emotion


@dataclass(frozen=True)
class Splice:
    """Clips one after another, and where each of them lies."""

    kind: str
    pause_s: float
    sound: Samples
    clips: list[Spoken]
    spans: list[Span]


@dataclass
class Count:
    """What was counted in the splices of one row of the table."""

    true: int = 0
    found: int = 0
    near: int = 0
    right: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def row(self) -> dict[str, float]:
        """Return precision, recall, F1, and the shares of clips that were right."""
        return {
            "clips": self.true,
            "found": self.found,
            "precision": round(self.near / max(1, self.found), 3),
            "recall": round(self.near / self.true, 3),
            "f1": round(2 * self.near / (self.true + self.found), 3),
            **{key: round(count / self.true, 3) for key, count in self.right.items()},
        }


def main() -> None:
    """Splice, cut, recognize, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="compact")
    parser.add_argument("--split", default="test")
    parser.add_argument("--splices", type=int, default=60)
    parser.add_argument("--grid", action="store_true")
    parser.add_argument("--rules", type=json.loads, default={}, help="JSON of rules to change")
    options = parser.parse_args()
    splices = list(made(clips_by_speaker(options.data, options.split), options.splices))
    if options.grid:
        grid(splices)
        return
    recognizer, rules = load(options.model, threads=1), utterance_rules(options.rules)
    counts: dict[str, Count] = defaultdict(Count)
    for splice in splices:
        result = recognizer.recognize(Waveform(splice.sound), granularity="frame", utterances=rules)
        segments = [one for one in result.segments if not one.silent]
        for key in ("all", splice.kind, f"pause {splice.pause_s:g} s"):
            found(counts[key], splice, [one.span for one in result.utterances])
            for clip, span in zip(splice.clips, splice.spans, strict=True):
                said = {
                    "clip alone": alone(recognizer, clip.whole),
                    "its speech alone": alone(recognizer, clip.speech),
                    "utterances": covering(result.utterances, span),
                    "frame curve": covering(segments, span),
                }
                for name, emotion in said.items():
                    counts[key].right[name] += emotion == clip.emotion
    print(f"{'':14}" + "".join(f"{name:>18}" for name in counts["all"].row()))
    for key, count in counts.items():
        print(f"{key:14}" + "".join(f"{value:18}" for value in count.row().values()))
    rows = {key: count.row() for key, count in counts.items()}
    print(
        json.dumps({"model": options.model, "split": options.split, **asdict(rules), "rows": rows})
    )


_ALONE: dict[int, Emotion] = {}


def alone(recognizer: Recognizer, samples: Samples) -> Emotion:
    """Return the answer for one sound, asked for once."""
    if id(samples) not in _ALONE:
        _ALONE[id(samples)] = recognizer.recognize(Waveform(samples)).emotion
    return _ALONE[id(samples)]


def covering(stretches: Iterable[object], span: Span) -> Emotion | None:
    """Return the emotion of the stretch that covers most of a span; None where none does."""

    def shared_s(one: object) -> float:
        return min(one.end_s, span.end_s) - max(one.start_s, span.start_s)  # type: ignore[attr-defined]

    best = max(stretches, key=shared_s, default=None)
    return best.emotion if best is not None and shared_s(best) > 0 else None  # type: ignore[attr-defined]


def found(count: Count, splice: Splice, spans: Sequence[Span]) -> None:
    """Count the utterances of which both ends are near those of a clip."""
    count.true += len(splice.spans)
    count.found += len(spans)
    count.near += sum(
        any(
            abs(one.start_s - true.start_s) <= NEAR_S and abs(one.end_s - true.end_s) <= NEAR_S
            for one in spans
        )
        for true in splice.spans
    )


def grid(splices: Sequence[Splice]) -> None:
    """Print F1 over the rules of pauses and paddings."""
    rows = []
    for pause_s, pad_s in itertools.product(
        (0.25, 0.3, 0.35, 0.4, 0.5, 0.6), (0.03, 0.06, 0.1, 0.15)
    ):
        if 2 * pad_s > pause_s:
            continue
        rules = UtteranceRules(pause_s=pause_s, pad_s=pad_s, longest_s=UTTERANCE_RULES.longest_s)
        count, by_pause = Count(), defaultdict(Count)
        for splice in splices:
            spans = cut(splice.sound, rules)
            found(count, splice, spans)
            found(by_pause[splice.pause_s], splice, spans)
        each = {f"f1 at {key:g} s": one.row()["f1"] for key, one in sorted(by_pause.items())}
        rows.append({"pause_s": pause_s, "pad_s": pad_s, **count.row(), **each})
        print(rows[-1])
    print(json.dumps(rows))


def cut(samples: Samples, rules: UtteranceRules) -> list[Span]:
    """Return the spans of the utterances of a whole sound."""
    cutter = UtteranceCutter(rules)
    pieces = [*cutter.feed(samples), *cutter.finish()]
    return [Span(one.first / RATE_HZ, (one.first + len(one.samples)) / RATE_HZ) for one in pieces]


def made(by_speaker: dict[str, list[Spoken]], number: int) -> Iterator[Splice]:
    """Make splices, by one speaker and by two in turn, with each pause equally often."""
    random = np.random.default_rng(0)
    speakers = sorted(by_speaker)
    for at in range(number):
        pause_s = PAUSES_S[at // 2 % len(PAUSES_S)]
        several = bool(at % 2)
        first = speakers[at // 2 % len(speakers)]
        second = speakers[(at // 2 + 1) % len(speakers)] if several else first
        turns = [first, second] * (CLIPS // 2)
        clips = [by_speaker[one][int(random.integers(len(by_speaker[one])))] for one in turns]
        pause = np.zeros(round(pause_s * RATE_HZ), np.float32)
        parts, spans, place = [pause], [], len(pause)
        for clip in clips:
            end = place + len(clip.speech)
            spans.append(Span(place / RATE_HZ, end / RATE_HZ))
            parts += [clip.speech, pause]
            place = end + len(pause)
        noise = 1e-4 * random.standard_normal(place).astype(np.float32)
        kind = "two speakers" if several else "one speaker"
        yield Splice(kind, pause_s, np.concatenate(parts) + noise, clips, spans)


def clips_by_speaker(data: Path, split: str) -> dict[str, list[Spoken]]:
    """Return the clips of a split, at most forty of each speaker."""
    rows = defaultdict(list)
    with (data / "clips.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["corpus"] in CORPORA and row["split"] == split:
                rows[row["corpus"], row["speaker"]].append(row)
    chosen: dict[str, list[dict[str, str]]] = defaultdict(list)
    random = np.random.default_rng(1)
    for (corpus, _), listed in sorted(rows.items()):
        chosen[corpus] += [listed[at] for at in random.permutation(len(listed))[:40]]
    clips: dict[str, list[Spoken]] = defaultdict(list)
    for corpus, listed in chosen.items():
        with tarfile.open(data / f"{corpus}.tar") as tar:
            for row in listed:
                member = tar.extractfile(row["path"])
                assert member is not None
                samples = decode(member.read()).samples
                spoken = Spoken(samples, speech_of(samples), by_key(row["emotion"]))
                clips[row["speaker"]].append(spoken)
    return {speaker: found for speaker, found in clips.items() if len(found) >= CLIPS}


def speech_of(samples: Samples) -> Samples:
    """Cut soft sound off both ends, by level alone: no detector says what is true."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    level_db = 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1) + 1e-10)
    loud = np.flatnonzero(level_db > np.percentile(level_db, 98) - SOFT_DB)
    return samples[loud[0] * FRAME : (loud[-1] + 1) * FRAME]


if __name__ == "__main__":
    main()
