"""Heads on real corpora: UAR of the built-in nine against a head of 50, 200 and 800 clips.

`python benchmarks/heads.py --data FOLDER` with `clips.csv` and a tar of clips per corpus, further
ones in `more/`. Two corpora that the model never saw stand for a user's own: each clip is answered
by a head that was trained on clips of other speakers only, whose strength and temperature were
chosen among these. The nine may answer with the corpus's classes only, and are also mapped to them
by the same training clips; of the two, the better one is compared with.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emoscope.evaluate.bootstrap import Estimate, SpeakerBootstrap
from emoscope.recognizer import load
from emoscope.results.heads import HeadLabel
from emoscope.vectors.head_figures import expected_error
from emoscope.vectors.head_fit import fit_chosen, speaker_folds
from emoscope.vectors.head_list import HeadData
from emoscope.vectors.heads import answers_without_head

CORPORA = ("turev", "indowave")
SIZES = (50, 200, 800)
DRAWS = 3
"""Random choices of training clips per size; their answers are measured together."""


def clips(data: Path, corpus: str) -> Iterator[tuple[dict[str, str], bytes]]:
    """Rows of the list and bytes of the clips of one corpus."""
    for folder in (data, data / "more"):
        archive = folder / f"{corpus}.tar"
        if not archive.is_file():
            continue
        with folder.joinpath("clips.csv").open(newline="", encoding="utf-8") as file:
            rows = {row["path"]: row for row in csv.DictReader(file) if row["corpus"] == corpus}
        with tarfile.open(archive) as tar:
            for member in tar:
                row = rows.get(member.name.removeprefix("./"))
                content = tar.extractfile(member) if row else None
                if row and content and row["emotion"]:
                    yield row, content.read()


def embedded(data: Path, corpus: str) -> HeadData:
    """Mean embeddings of a corpus by the shipped model."""
    recognizer = load("compact")
    rows, vectors, scores = [], [], []
    for row, content in clips(data, corpus):
        result = recognizer.recognize(content, embedding=True)
        rows.append(row)
        vectors.append(result.utterance_embedding)
        scores.append(result.scores.values)
        if len(rows) % 100 == 0:
            sys.stderr.write(f"{corpus} {len(rows)}\n")
    keys = sorted({row["emotion"] for row in rows})
    return HeadData(
        tuple(HeadLabel(key, key, key, "", "#000000") for key in keys),
        np.stack(vectors),
        np.stack(scores),
        np.array([keys.index(row["emotion"]) for row in rows]),
        tuple(row["speaker"] for row in rows),
        tuple({row["licence"] for row in rows}),
    )


def measured(data: HeadData, size: int) -> tuple[list[Estimate], float, float, int]:
    """UAR of a head of `size` clips, of the nine, and of the gain; its ECE, seconds, and clips."""
    vectors, classes = data.vectors.astype(np.float64), len(data.labels)
    truth, owners, answers, nine, mapped, logits = [], [], [], [], [], []
    used, started = 0, time.perf_counter()
    for draw in range(DRAWS):
        for train, test in speaker_folds(data.truth, data.speakers):
            part = np.sort(np.random.default_rng(draw).permutation(train)[:size])
            used = max(used, len(part))
            speakers = [data.speakers[at] for at in part]
            fitted = fit_chosen(vectors[part], data.truth[part], speakers, classes)
            rows = fitted.map.logits(vectors[test])
            truth.append(data.truth[test])
            owners += [data.speakers[at] for at in test]
            answers.append(rows.argmax(axis=1))
            logits.append(rows)
            nine.append(answers_without_head("emotions", data, part, test))
            mapped.append(answers_without_head("mapped", data, part, test))
    seconds = (time.perf_counter() - started) / DRAWS
    truth_all, head = np.concatenate(truth), np.concatenate(answers)
    bootstrap = SpeakerBootstrap(truth_all, owners, classes)
    others = [np.concatenate(nine), np.concatenate(mapped)]
    best = max(others, key=lambda one: bootstrap.uar(one)[0])
    figures = [bootstrap.estimate(head), *map(bootstrap.estimate, others)]
    figures.append(bootstrap.difference(head, best))
    return figures, expected_error(truth_all, np.concatenate(logits)), seconds, used


def cell(one: Estimate, sign: str = "") -> str:
    """A figure and its interval."""
    return f"{one.value:{sign}.3f} [{one.low:{sign}.3f}, {one.high:{sign}.3f}]"


def main() -> None:
    """Measure and print a table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    found = []
    for corpus in CORPORA:
        data = embedded(parser.parse_args().data, corpus)
        counts = (len(data.truth), len(set(data.speakers)), len(data.labels))
        print(f"\n{corpus}: {counts[0]} clips, {counts[1]} speakers, {counts[2]} classes\n")
        print("| clips of other speakers | the nine | the nine, mapped | head | gain | ECE | s |")
        print("|---|---|---|---|---|---|---|")
        for size in SIZES:
            if size > len(data.truth):
                continue
            (head, nine, mapped, gain), ece, seconds, used = measured(data, size)
            line = [used, cell(nine), cell(mapped), cell(head), cell(gain, "+")]
            print("|", *(f"{one} |" for one in line), f"{ece:.3f} | {seconds:.0f} |", flush=True)
            found.append(
                {
                    "corpus": corpus,
                    "clips": used,
                    "nine": nine.to_list(),
                    "mapped": mapped.to_list(),
                    "head": head.to_list(),
                    "gain": gain.to_list(),
                    "ece": ece,
                }
            )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
