"""The spaces of emoscope.vectors for the built-in model, fitted and written beside it.

    python train/spaces.py --data FOLDER [--embeddings FILE.npz]

FOLDER holds clips.csv and one tar per corpus, as README.md says. The vectors of all clips are made
by the model that ships, and kept in FILE, by default in the cache folder beside it; benchmarks/
vectors.py reads them. The spaces are fitted on the train splits of the corpora that may be trained
on, and are valid for this one file of the model: run this again after another model is packed.
"""

from __future__ import annotations

import argparse
import csv
import functools
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import files
from emoscope.recognizer import load
from emoscope.results.result import Result
from emoscope.vectors.fitting import fit_emotion, fit_sound
from emoscope.vectors.spaces import RAW, write_spaces

TARGET = Path(__file__).parent.parent / "src/emoscope/assets/compact.spaces.npz"
CACHE = Path.home() / ".cache/emoscope-train/vectors.npz"
COLUMNS = ("corpus", "speaker", "emotion", "split", "role", "text_id", "rater_agreement")
AGREED = 0.5
"""Of cremad only clips count whose emotion at least half of the listeners heard."""

Table = dict[str, np.ndarray]


def rows_of(data: Path) -> Iterator[tuple[dict[str, str], Path]]:
    """Yield the rows of all lists, with the folder of each."""
    for listing in (data / "clips.csv", data / "more" / "clips.csv"):
        if listing.is_file():
            with listing.open(encoding="utf-8", newline="") as file:
                yield from ((row, listing.parent) for row in csv.DictReader(file))


def sound_of(row: dict[str, str], folder: Path, tars: dict[str, tarfile.TarFile]) -> bytes:
    """Return the bytes of one clip; its tar stays open in `tars`."""
    corpus, path = row["corpus"], row["path"]
    if corpus not in tars:
        tars[corpus] = tarfile.open(folder / f"{corpus}.tar")  # noqa: SIM115 - until the end
    names = _names(tars[corpus])
    found = next(name for name in (path, f"./{path}", path.partition("/")[2]) if name in names)
    member = tars[corpus].extractfile(found)
    assert member is not None
    return member.read()


@functools.cache
def _names(tar: tarfile.TarFile) -> frozenset[str]:
    return frozenset(tar.getnames())


def embed(data: Path) -> Table:
    """Return vector, scores and columns of every clip, by the built-in model."""
    recognizer = load("compact")
    tars: dict[str, tarfile.TarFile] = {}
    kept: list[tuple[dict[str, str], Result]] = []
    for number, (row, folder) in enumerate(rows_of(data)):
        result = recognizer.recognize(sound_of(row, folder, tars), embedding=True)
        kept.append((row, result))
        if number % 1000 == 0:
            print(number, flush=True)
    vectors = [result.utterance_embedding for _, result in kept]
    return {
        "model_sha256": np.array(recognizer.model.sha256),
        "embedding": np.stack([one for one in vectors if one is not None]),
        "scores": np.array([result.scores.values for _, result in kept]),
        **{name: np.array([row[name] for row, _ in kept]) for name in COLUMNS},
    }


def load_table(path: Path) -> Table:
    """Read the vectors of all clips."""
    with np.load(path, allow_pickle=False) as data:
        return {name: data[name] for name in data}


def usable(table: Table) -> np.ndarray:
    """Which clips have a label that can be trusted."""
    agreed = np.array([float(one or 1) >= AGREED for one in table["rater_agreement"]])
    named: np.ndarray = (table["emotion"] != "") & ((table["corpus"] != "cremad") | agreed)
    return named


def speakers_of(table: Table) -> np.ndarray:
    """Speakers, told apart also where two corpora use the same name."""
    return np.char.add(np.char.add(table["corpus"], ":"), table["speaker"])


def main() -> None:
    """Make the vectors where they are not there, fit the spaces and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embeddings", type=Path, default=CACHE)
    parser.add_argument("--out", type=Path, default=TARGET)
    given = parser.parse_args()
    sha256 = load("compact").model.sha256
    table = load_table(given.embeddings) if given.embeddings.is_file() else {}
    if str(table.get("model_sha256")) != sha256:
        table = embed(given.data)
        file = io.BytesIO()
        np.savez(file, **table)  # type: ignore[arg-type]  # names are not allow_pickle
        files.write(file.getvalue(), given.embeddings)
    mine = (table["split"] == "train") & (table["role"] == "train") & usable(table)
    vectors, speakers = table["embedding"][mine], speakers_of(table)[mine]
    spaces = {
        "raw": RAW,
        "sound": fit_sound(vectors),
        "emotion": fit_emotion(vectors, table["scores"][mine], table["emotion"][mine], speakers),
    }
    # Random pairs of dev speakers: on its training clips the model is surer than elsewhere.
    dev = (table["split"] == "dev") & usable(table)
    groups = speakers_of(table)[dev]
    measured = {name: one.measured(table["embedding"][dev], groups) for name, one in spaces.items()}
    file = io.BytesIO()
    write_spaces(file, sha256, measured)
    files.write(file.getvalue(), given.out)
    print(
        f"{given.out.name}: {len(file.getvalue())} bytes, {mine.sum()} clips, model {sha256[:12]}"
    )
    for name, one in measured.items():
        print(f"  {name}: {one.usual_cosines()}")


if __name__ == "__main__":
    main()
