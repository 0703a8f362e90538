"""The sample recordings are complete, sound, free, as listed, and answered rightly."""

import hashlib
import json
import wave
from pathlib import Path
from typing import TypedDict

import numpy as np
import pytest
from numpy.typing import NDArray

import emoscope
from emoscope.waveform import HOP_S

SAMPLES_DIR = Path(emoscope.__file__).parent / "assets" / "samples"
SEQUENCE = "emodb_sequence.wav"
LICENCES = {"CC0-1.0", "DbCL-1.0"}
EMOTIONS = {
    "angry",
    "disgusted",
    "fearful",
    "happy",
    "neutral",
    "other",
    "sad",
    "surprised",
    "unknown",
}


class Entry(TypedDict):
    """One entry of `samples.json`."""

    file: str
    language: str
    emotion: str
    text: str
    title_zh: str
    title_en: str
    duration_s: float
    licence: str
    source: str
    sha256: str


LISTED: list[Entry] = json.loads((SAMPLES_DIR / "samples.json").read_text(encoding="utf-8"))

every_sample = pytest.mark.parametrize("entry", LISTED, ids=lambda entry: str(entry["file"]))


def read(name: str) -> NDArray[np.float64]:
    """Samples of a listed file in [-1, 1]."""
    with wave.open(str(SAMPLES_DIR / name), "rb") as file:
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return data.astype(np.float64) / 32768.0


def has_chinese(text: str) -> bool:
    """Whether a text holds at least one Chinese character."""
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def test_the_list_and_the_folder_agree() -> None:
    """Every listed file exists once, and no recording lies there unlisted."""
    listed = [entry["file"] for entry in LISTED]

    assert sorted(listed) == sorted(path.name for path in SAMPLES_DIR.glob("*.wav"))


def test_nothing_else_lies_in_the_folder() -> None:
    """What is shipped is the recordings, their results, their list and their licence."""
    allowed = {entry["file"] for entry in LISTED} | {"samples.json", "LICENSE"}
    allowed |= {entry["file"].replace(".wav", ".json") for entry in LISTED}
    allowed.add(SEQUENCE.replace(".wav", ".mp3"))
    python_package = {"__init__.py", "__pycache__"}

    assert {path.name for path in SAMPLES_DIR.iterdir()} - python_package == allowed


def test_there_is_something_to_choose_from() -> None:
    """At least four emotions, and a recording in which they follow one another."""
    assert len(LISTED) >= 6
    assert {"neutral", "happy", "angry", "sad"} <= {entry["emotion"] for entry in LISTED}
    assert SEQUENCE in {entry["file"] for entry in LISTED}


@every_sample
def test_entry_is_complete(entry: Entry) -> None:
    """Every entry has all keys, a known emotion, a free licence and titles in both languages."""
    assert set(entry) == set(Entry.__annotations__)
    assert entry["emotion"] in EMOTIONS
    assert entry["licence"] in LICENCES
    assert entry["source"]
    assert has_chinese(entry["title_zh"])
    assert entry["title_en"].isascii()
    assert entry["title_en"].strip()


@pytest.fixture(scope="module")
def recognizer() -> emoscope.Recognizer:
    """The built-in model."""
    return emoscope.load("compact", threads=1)


@pytest.mark.parametrize(
    "entry", [e for e in LISTED if e["file"] != SEQUENCE], ids=lambda entry: str(entry["file"])
)
def test_every_sample_is_answered_rightly_and_surely(
    recognizer: emoscope.Recognizer, entry: Entry
) -> None:
    result = recognizer.recognize(SAMPLES_DIR / entry["file"])

    assert result.emotion.key == entry["emotion"]
    assert result.calibrated is not None
    assert result.calibrated.confidence > 0.6
    assert not result.abstain


def test_the_sequence_shows_its_four_emotions_in_order(recognizer: emoscope.Recognizer) -> None:
    result = recognizer.recognize(SAMPLES_DIR / SEQUENCE, granularity="frame")
    assert result.track is not None
    scores = result.track.scores
    quarter = len(scores) // 4

    # In the middle of each quarter, where one sentence is spoken, its emotion leads on average.
    found = []
    for at in range(4):
        middle = scores[at * quarter + quarter // 4 : (at + 1) * quarter - quarter // 4]
        found.append(emoscope.EMOTIONS[int(middle.mean(axis=0).argmax())].key)
    assert found == ["neutral", "happy", "angry", "sad"]
    assert len(scores) * HOP_S == pytest.approx(18, abs=5)


@every_sample
def test_licence_names_the_file(entry: Entry) -> None:
    """The dedication covers every recording by name."""
    assert entry["file"] in (SAMPLES_DIR / "LICENSE").read_text(encoding="utf-8").split()


@every_sample
def test_bytes_are_the_listed_ones(entry: Entry) -> None:
    """A changed recording without a changed list is noticed."""
    data = (SAMPLES_DIR / entry["file"]).read_bytes()

    assert hashlib.sha256(data).hexdigest() == entry["sha256"]


@every_sample
def test_format(entry: Entry) -> None:
    """16 kHz, mono, 16 bit, of an advisable length that the list tells truly."""
    with wave.open(str(SAMPLES_DIR / entry["file"]), "rb") as file:
        seconds = file.getnframes() / file.getframerate()
        shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())

    assert shape == (16_000, 1, 2)
    assert 1.0 <= seconds <= 30.0
    assert seconds == pytest.approx(entry["duration_s"], abs=1e-3)


@every_sample
def test_level(entry: Entry) -> None:
    """Neither clipped nor silent, and quiet but not digitally silent at both ends."""
    samples = read(entry["file"])
    rms = float(np.sqrt(np.mean(samples**2)))
    ends = np.concatenate([samples[:1600], samples[-1600:]])  # 0.1 s each
    end_rms = float(np.sqrt(np.mean(ends**2)))

    assert np.max(np.abs(samples)) < 0.99
    assert abs(float(np.mean(samples))) < 1e-3
    assert rms > 0.01
    assert 0.0 < end_rms < rms / 10.0
