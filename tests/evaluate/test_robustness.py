"""What small changes do to an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import doctor
from emoscope.cli.main import main
from emoscope.evaluate.robustness import PERTURBATIONS, perturb
from emoscope.messages.trust import STABILITY
from emoscope.recognizer import Recognizer, load
from emoscope.results.result import ModelRef
from emoscope.waveform import Waveform
from sounds import SAMPLES, noise, sample, sample_names, wav

Examine = Callable[..., tuple[object, str]]


def test_each_change_does_what_it_says() -> None:
    voice = 0.4 * sample("sad_en.wav")
    changed = {code: change(voice) for code, change in PERTURBATIONS.items()}

    assert set(PERTURBATIONS) <= set(STABILITY)
    np.testing.assert_allclose(changed["louder"], voice * 10**0.3, rtol=1e-5)
    np.testing.assert_allclose(changed["quieter"], voice / 10**0.3, rtol=1e-5)
    np.testing.assert_array_equal(changed["shifted"], np.r_[np.zeros(160, np.float32), voice])
    noise = changed["noisy"] - voice
    assert 10 * np.log10(np.mean(voice**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.2)
    through = changed["mp3"]
    assert abs(len(through) - len(voice)) <= 3_200
    spectra = [np.abs(np.fft.rfft(x[:64_000], 64_000))[400:12_000] for x in (voice, through)]
    assert np.corrcoef(*spectra)[0, 1] > 0.95
    assert all(x.dtype == np.float32 and np.abs(x).max() <= 1 for x in changed.values())


def test_an_answer_that_hangs_by_the_level_is_called_unstable() -> None:
    """The fake model calls what is loud happy; 6 dB either way change that."""
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    voice = sample("happy_zh.wav")
    verdicts = [
        perturb(recognizer, Waveform((gain * voice).astype(np.float32))).is_stable
        for gain in np.geomspace(0.02, 1.5, 12)
    ]

    assert not all(verdicts)
    assert any(verdicts)


@pytest.mark.process
def test_the_compact_model_is_examined() -> None:
    recognizer = load("compact")
    for name in sample_names()[:3]:
        found = perturb(recognizer, Waveform(sample(name), name=name))
        by_code = {change.code: change for change in found.changes}
        assert list(by_code) == list(PERTURBATIONS)
        # It measures everything against the clip's own level.
        assert by_code["quieter"].difference < 0.02
        assert found.is_stable == all(c.emotion == found.result.emotion for c in found.changes)


@pytest.mark.process
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_command_prints_a_table_and_tells_by_its_exit_code(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(SAMPLES / "neutral_zh.wav")
    with pytest.raises(SystemExit) as ended:
        main(["doctor", path, "--lang", language, "-m", "compact"])
    shown = capsys.readouterr().out
    with pytest.raises(SystemExit) as again:
        main(["doctor", path, "--json", "-m", "compact"])
    data = json.loads(capsys.readouterr().out)

    assert ended.value.code == again.value.code == (0 if data["stable"] else 1)
    assert [change["change"] for change in data["changes"]] == list(PERTURBATIONS)
    expected = STABILITY["stable" if data["stable"] else "unstable"]
    assert (expected.zh if language == "zh" else expected.en)[:12] in shown


@pytest.fixture
def examine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Examine:
    """Runs the command on the fake model; returns exit code and output."""
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    monkeypatch.setattr(doctor, "open_model", lambda *_: recognizer)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: object) -> tuple[object, str]:
        with pytest.raises(SystemExit) as ended:
            main(["doctor", *map(str, arguments), "--lang", "en"])
        return ended.value.code, capsys.readouterr().out

    return run


def test_noise_has_no_answer_and_is_not_called_stable(examine: Examine, tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    path.write_bytes(wav(noise(2.0)))

    code, shown = examine(path)
    told, data = examine(path, "--json")

    assert code == told == 1
    assert "Cannot tell: there is no speech" in shown
    assert shown.rstrip().endswith("There is no answer that small changes could alter.")
    assert (json.loads(data)["verdict"], json.loads(data)["stable"]) == ("no_answer", False)


def test_several_recordings_have_a_line_each(examine: Examine, tmp_path: Path) -> None:
    for name in ("one.wav", "two.wav"):
        (tmp_path / name).write_bytes((SAMPLES / "sad_en.wav").read_bytes())
    (tmp_path / "noise.wav").write_bytes(wav(noise(2.0)))
    (tmp_path / "list.csv").write_text("path\none.wav\nnowhere.wav\n")

    code, shown = examine(tmp_path, tmp_path / "list.csv")
    _, data = examine(tmp_path, tmp_path / "list.csv", "--json")

    assert code == 1
    lines = shown.splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == [
        "noise.wav",
        "one.wav",
        "two.wav",
        "one.wav",
        "nowhere.wav",
    ]
    assert "1 without an answer, 1 failed" in lines[-1]
    records = [json.loads(line) for line in data.splitlines()]
    assert [one.get("verdict") for one in records[3:]] == [records[1]["verdict"], None]
    assert records[4]["error"]["code"] == "source_not_found"


def test_what_is_cut_off_at_full_scale_is_said(examine: Examine, tmp_path: Path) -> None:
    """6 dB more of a recording at full scale changes its clipping, and not its level alone."""
    voice = sample("happy_zh.wav")
    for name, peak in (("loud.wav", 0.99), ("soft.wav", 0.3)):
        (tmp_path / name).write_bytes(wav(peak * voice / np.abs(voice).max()))

    (_, loud), (_, soft) = (examine(tmp_path / name) for name in ("loud.wav", "soft.wav"))
    _, data = examine(tmp_path / "loud.wav", "--json")

    assert ("cut off" in loud, "cut off" in soft) == (True, False)
    clips = {one["change"]: one["clips"] for one in json.loads(data)["changes"]}
    assert [code for code, value in clips.items() if value] == ["louder"]


def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", str(Path("nowhere.wav")), "-m", "compact"])

    assert ended.value.code == 3
    assert "nowhere.wav" in capsys.readouterr().err
