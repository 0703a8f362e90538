"""Whether ``emoscope evaluate`` gives the figures of the compact model's card.

    python benchmarks/card_figures.py --data FOLDER [--corpora emodb ravdess ...]

FOLDER holds clips.csv and one tar per corpus, as train/README.md says. The clips that the card was
measured on are decoded by libsndfile into WAV files at 16 kHz, as the recipe decodes them, and
given to the command as any list is; this needs soundfile beside the package. Prints a row for each
corpus; the exit code is 1 if a figure differs from the card's by more than 0.0005 (it is rounded to
four places there).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import soundfile

import emoscope

CARD = Path(emoscope.__file__).parent / "assets" / "compact.json"
FIGURES = {"ua": "uar", "ua_own_classes": "uar_own_classes", "wa": "wa"}
"""Keys of the command's JSON and of the card."""
ROUNDED = 5e-4
LISTENERS = 0.5
"""Share of listeners that must have heard the emotion of a clip of cremad."""


def main() -> None:
    """Evaluate each corpus and compare."""
    card = json.loads(CARD.read_text("utf-8"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpora", nargs="+", default=list(card["accuracy"]))
    options = parser.parse_args()
    print(f"revision {card['revision']}; the command's figure, then the card's")
    print("| corpus | clips | UA | UA (own classes only) | WA | ECE calibrated |")
    print("|---|---|---|---|---|---|")
    equal = True
    for corpus in options.corpora:
        with tempfile.TemporaryDirectory() as folder:
            found = evaluated(write_list(options.data, corpus, Path(folder)))
        told = card["accuracy"][corpus]
        error = card["calibration"]["figures"][corpus]["ece_after"]
        pairs = [(found[ours], told[theirs]) for ours, theirs in FIGURES.items()]
        pairs.append((found["calibration"]["ece_calibrated"], error))
        equal &= found["clips"] == told["clips"]
        equal &= all(abs(one - other) <= ROUNDED for one, other in pairs)
        cells = " | ".join(f"{one:.4f} {other:.4f}" for one, other in pairs)
        print(f"| {corpus} | {found['clips']} {told['clips']} | {cells} |", flush=True)
    sys.exit(0 if equal else 1)


def write_list(data: Path, corpus: str, folder: Path) -> Path:
    """Test clips of a corpus as WAV files and a CSV list of them; returns the list."""
    place = next(at for at in (data, data / "more") if (at / f"{corpus}.tar").is_file())
    with (place / "clips.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["corpus"] == corpus and counts(row)]
    listing = folder / "list.csv"
    with (
        tarfile.open(place / f"{corpus}.tar") as tar,
        listing.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("path", "emotion", "speaker"))
        for number, row in enumerate(rows):
            member = tar.extractfile(row["path"])
            assert member is not None
            samples, rate_hz = soundfile.read(io.BytesIO(member.read()), dtype="int16")
            name = f"{number:05}.wav"
            soundfile.write(folder / name, samples, rate_hz, subtype="PCM_16")
            writer.writerow((name, row["emotion"], row["speaker"]))
    return listing


def counts(row: dict[str, str]) -> bool:
    """Whether the card's figures are about this clip; see ``train/data.py``."""
    if row["split"] != "test" or not row["emotion"]:
        return False
    if row["corpus"] == "emotiontts":
        return row["text_id"].startswith("plain")
    if row["corpus"] == "cremad":
        heard = float(row["rater_agreement"] or 0) >= LISTENERS
        return heard and row["emotion"] in ("happy", "sad")
    return True


def evaluated(listing: Path) -> dict:
    """What ``emoscope evaluate`` writes about a list."""
    target = listing.with_name("report.json")
    command = [sys.executable, "-m", "emoscope", "evaluate", str(listing), "-m", "compact"]
    subprocess.run([*command, "--json", str(target)], check=True, stdout=subprocess.DEVNULL)
    return dict(json.loads(target.read_text("utf-8")))


if __name__ == "__main__":
    main()
