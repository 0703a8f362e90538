"""Words that were renamed: the old spelling still works, and says what the word is today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emoscope.cli import main as cli
from emoscope.cli import models
from emoscope.recognizer import load
from emoscope.settings import Settings, load_settings

VOICE = Path(__file__).parents[2] / "src" / "emoscope" / "assets" / "samples"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings, and English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    return tmp_path


def test_python_takes_the_old_precision_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match="int8"):
        load("compact", precision="fast")  # type: ignore[arg-type]


def test_the_command_line_takes_the_old_precision_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    voice = str(min(VOICE.glob("*.wav")))
    arguments = ["recognize", voice, "-m", "compact", "--precision", "fast", "--json"]
    cli.app(arguments, standalone_mode=False)
    told = capsys.readouterr()

    assert "--precision fast is now called --precision int8" in told.err
    assert told.out.startswith("[")


def test_language_is_known_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    voice = str(min(VOICE.glob("*.wav")))
    arguments = ["recognize", voice, "-m", "compact", "--precision", "fast", "--lang", "zh"]
    cli.app(arguments, standalone_mode=False)

    assert "“--precision fast”现在叫“--precision int8”" in capsys.readouterr().err


def test_the_old_commands_and_options_of_models_say_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(models, "quantize", lambda *words: asked.append(words))
    cli.app(["models", "fast", "somewhere", "--lang", "en"], standalone_mode=False)
    assert asked == [("somewhere", None, "en")]
    assert "models fast is now called models quantize" in capsys.readouterr().err

    cli.app(["models", "pull", "compact", "--fast", "--lang", "en"], standalone_mode=False)
    assert "--fast is now called --int8" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["environment", "file", "argument"])
def test_old_names_of_settings_work_and_warn(
    way: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    if way == "environment":
        monkeypatch.setenv("EMOSCOPE_FAST_MIN_COSINE", "0.5")
        monkeypatch.setenv("EMOSCOPE_PRECISION", "fast")
    elif way == "file":
        (here / "emoscope.toml").write_text('fast_min_cosine = 0.5\nprecision = "fast"\n', "utf-8")
    else:
        given = {"fast_min_cosine": 0.5, "precision": "fast"}

    with pytest.warns(FutureWarning) as told:
        settings = load_settings(**given)

    assert (settings.int8_min_cosine, settings.precision) == (0.5, "int8")
    said = [str(one.message) for one in told]
    assert any("fast_min_cosine is now called int8_min_cosine" in line for line in said)
    assert any("precision fast is now called int8" in line for line in said)


def test_the_name_of_today_counts_where_both_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSCOPE_FAST_MIN_COSINE", "0.5")
    monkeypatch.setenv("EMOSCOPE_INT8_MIN_COSINE", "0.75")

    with pytest.warns(FutureWarning):
        assert Settings().int8_min_cosine == 0.75
