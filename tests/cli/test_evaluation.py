"""``emoscope evaluate`` and ``compare`` as people type them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import evaluate as evaluating
from emoscope.cli import main as cli
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from ran import Ran, run_here
from sounds import noise, wav


@pytest.fixture
def emoscope(monkeypatch, capsys, tmp_path):
    """Runs a command in this process with a model that hears level."""

    def open_model(settings, limits):
        reference = ModelRef(str(settings.model), "1", "0" * 64)
        return Recognizer(FakeBackend(), reference, limits=limits)

    monkeypatch.setattr(evaluating, "open_model", open_model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    rows = ["path,label,speaker,corpus,rater"]
    for number in range(6):
        level = (0.5, 0.01)[number % 2]
        Path(f"{number}.wav").write_bytes(wav(noise(1.0 + number / 50, level=level)))
        label = ("happy", "neutral")[number % 2] if number else "sad"
        rows.append(f"{number}.wav,{label},s{number // 2},c,r{number}")
    Path("list.csv").write_text("\n".join(rows) + "\n")

    def run(*arguments: object) -> Ran:
        return run_here(cli.main, capsys, *arguments)

    return run


def test_failures_give_exit_code_1_and_unknown_labels_are_told_once(emoscope) -> None:
    Path("some.csv").write_text("path,label\n0.wav,happy\n1.wav,contempt\n2.wav,contempt\n")

    ran = emoscope("evaluate", "some.csv")

    assert ran.code == 1
    assert ran.err.count("contempt") == 1
    assert "'contempt' × 2 (3, 4)" in ran.err
    assert "--map" in ran.err
    Path("map.csv").write_text("contempt,\n")
    assert emoscope("evaluate", "some.csv", "--map", "map.csv").code == 0
    assert emoscope("evaluate", "some.csv", "--drop-unknown").code == 0
    Path("gone.csv").write_text("path,label\n0.wav,happy\ngone.wav,sad\n")
    assert emoscope("evaluate", "gone.csv").code == 1


def test_predictions_have_the_columns_of_the_list_and_can_be_compared(emoscope) -> None:
    ran = emoscope("evaluate", "list.csv", "--predictions", "a.csv", "--json", "a.json")

    assert ran.code == 0, ran.err
    rows = list(csv.DictReader(Path("a.csv").read_text("utf-8").splitlines()))
    assert [row["path"] for row in rows] == [f"{number}.wav" for number in range(6)]
    assert [row["rater"] for row in rows] == [f"r{number}" for number in range(6)]
    assert {"truth", "answer", "margin", "abstained", "happy", "corpus"} <= rows[0].keys()
    report = json.loads(Path("a.json").read_text("utf-8"))
    assert report["list"]["path"] == "list.csv"
    assert report["options"]["draws"] == 1000
    assert report["command"][0] == "emoscope"
    assert report["versions"]["numpy"]

    Path("b.csv").write_text("path,answer\n" + "".join(f"{n}.wav,happy\n" for n in range(6)))
    ran = emoscope("compare", "a.csv", "b.csv", "--json", "c.json", "--html", "c.html")

    assert ran.code == 0, ran.err
    assert "bootstrap over 3 speakers" in ran.out
    found = json.loads(Path("c.json").read_text("utf-8"))
    assert found["overall"]["clips"] == 6
    assert found["overall"]["mcnemar"] == {
        "only_first_right": 3,
        "only_second_right": 0,
        "p": 0.25,
    }
    assert "McNemar" in Path("c.html").read_text("utf-8")


def test_a_model_is_compared_on_a_list(emoscope) -> None:
    Path("b.csv").write_text("path,answer\n" + "".join(f"{n}.wav,happy\n" for n in range(6)))

    assert "--list" in emoscope("compare", "compact", "b.csv").err
    ran = emoscope("compare", "compact", "b.csv", "--list", "list.csv", "--json", "c.json")

    assert ran.code == 0, ran.err
    found = json.loads(Path("c.json").read_text("utf-8"))
    assert found["first"] == "compact 1"
    assert found["overall"]["mcnemar"]["only_first_right"] == 3
    assert found["sources"][0]["list"]["path"] == "list.csv"
    assert emoscope("compare", "compact", "other", "--list", "list.csv").code == 0


@pytest.mark.parametrize("output", ["--predictions", "--json", "--html"])
def test_an_output_that_is_an_input_is_refused(emoscope, output: str) -> None:
    before = Path("list.csv").read_text()
    assert emoscope("evaluate", "list.csv", output, "list.csv").code == 2
    assert Path("list.csv").read_text() == before


def test_a_report_is_made_again(emoscope) -> None:
    assert emoscope("evaluate", "list.csv", "--json", "a.json", "--draws", "50").code == 0

    ran = emoscope("evaluate", "--check", "a.json")

    assert ran.code == 0, ran.out + ran.err
    assert "Reproduced" in ran.out
    report = json.loads(Path("a.json").read_text("utf-8"))
    report["ua"] += 0.01
    report["versions"]["numpy"] = "0.1"
    Path("b.json").write_text(json.dumps(report))
    ran = emoscope("evaluate", "--check", "b.json")
    assert ran.code == 1
    assert "Differs: ua, reported 0.676667, now 0.666667" in ran.out
    assert "numpy 0.1" in ran.out
    assert ran.out.count("Differs") == 1
    Path("list.csv").write_text(Path("list.csv").read_text().replace("s0", "sX"))
    ran = emoscope("evaluate", "--check", "a.json")
    assert ran.code == 1
    assert "list.sha256" in ran.out


def test_a_report_beside_its_list_is_made_again_from_elsewhere(emoscope, monkeypatch) -> None:
    Path("deep").mkdir()
    assert emoscope("evaluate", "list.csv", "--json", "a.json", "--draws", "50").code == 0
    monkeypatch.chdir("deep")
    assert emoscope("evaluate", "--check", "../a.json").code == 0


@pytest.mark.parametrize("content", ["[]", "{", "{}", '{"created": "x", "versions": 1}'])
def test_what_is_no_report_is_told(emoscope, content: str) -> None:
    Path("x.json").write_text(content)
    ran = emoscope("evaluate", "--check", "x.json")
    assert ran.code == 3
    assert "report_unreadable" in ran.err


def test_a_list_or_a_report_is_needed(emoscope) -> None:
    assert emoscope("evaluate").code == 2
    assert emoscope("evaluate", "list.csv", "--check", "x.json").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--check", "a.json", "--html", "x.html"),
        ("--check", "a.json", "--json", "x.json"),
        ("list.csv", "--timeline", "--html", "x.html"),
        ("list.csv", "--timeline", "--predictions", "x.csv"),
    ],
)
def test_options_without_effect_are_refused(emoscope, arguments: tuple[str, ...]) -> None:
    assert emoscope("evaluate", *arguments).code == 2
    assert not Path("x.html").exists()
