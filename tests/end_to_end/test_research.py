"""The commands of docs/research.md, in order, on real clips of speakers the model never heard."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "research.md"
CLIPS = 4
"""Of each speaker."""

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips of the test speakers of emodb, a list, and answers of another tool."""
    if not (DATA / "emodb.tar").is_file():
        pytest.skip(f"no clips in {DATA}")
    folder = tmp_path_factory.mktemp("corpus")
    with (DATA / "clips.csv").open(encoding="utf-8", newline="") as lines:
        rows = [
            row
            for row in csv.DictReader(lines)
            if row["corpus"] == "emodb" and row["split"] == "test" and row["emotion"]
        ]
    speakers = sorted({row["speaker"] for row in rows})
    chosen = [
        row
        for speaker in speakers
        for row in [one for one in rows if one["speaker"] == speaker][::9][:CLIPS]
    ]
    with tarfile.open(DATA / "emodb.tar") as tar:
        for row in chosen:
            member = tar.extractfile(row["path"])
            assert member is not None
            target = folder / row["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(member.read())
    with (folder / "list.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "emotion", "speaker", "corpus"))
        writer.writerows(
            [row[key] for key in ("path", "emotion", "speaker", "corpus")] for row in chosen
        )
    with (folder / "other_tool.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "answer"))
        writer.writerows((row["path"], "neutral") for row in chosen)
    return folder


def test_the_lines_of_the_page_lead_from_corpus_to_paper(corpus: Path) -> None:
    blocks = re.findall(
        r"^```(bash|python)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    said = ""
    for language, code in blocks:
        command = ["bash", "-ec", code] if language == "bash" else [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=corpus, env=environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        said += done.stdout

    assert [language for language, _ in blocks] == ["bash", "python"]
    with (corpus / "list.csv").open() as file:
        listed = [row["path"] for row in csv.DictReader(file)]
    report = json.loads((corpus / "report.json").read_text("utf-8"))
    assert report["clips"] == len(listed) >= 2 * CLIPS
    assert f"UA {report['ua']:.3f}" in said
    for name in ("ours.csv", "clips.csv"):
        with (corpus / name).open(encoding="utf-8") as file:
            assert [row["path"] for row in csv.DictReader(file)] == listed
    with (corpus / "segments.csv").open(encoding="utf-8") as file:
        scores = {row["emotion"]: row["score"] for row in csv.DictReader(file)}
    assert scores.get("silence", "") == ""
    assert len((corpus / "stability.jsonl").read_text("utf-8").splitlines()) == len(listed)
    assert len(list((corpus / "elan").iterdir())) == len(listed)
    assert (corpus / "figure1.svg").read_text("utf-8").startswith("<svg")
    assert "sha256" in said
