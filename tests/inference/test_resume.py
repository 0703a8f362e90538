"""An interrupted recognition resumes, with the result of an uninterrupted one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emoscope.audio.prepare import PreparedAudio
from emoscope.backends.fake_backend import FakeBackend
from emoscope.events import Event, Progress
from emoscope.inference import resume
from emoscope.multichannel import recognize_channels_with
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef, Result
from emoscope.waveform import RATE_HZ, Waveform
from sounds import noise, wav

DURATION_S = 130.0
WINDOWS = 13


class _StoppedError(Exception):
    pass


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def recognizer(backend: FakeBackend) -> Recognizer:
    return Recognizer(backend, ModelRef("fake", "1", "0" * 64))


@pytest.fixture
def recording(recognizer: Recognizer) -> PreparedAudio:
    rng = np.random.default_rng(0)
    loud = np.repeat(rng.uniform(0.01, 0.3, int(DURATION_S)), RATE_HZ)
    samples = (loud * rng.standard_normal(len(loud))).clip(-1, 1).astype(np.float32)
    return recognizer.decode(Waveform(samples, RATE_HZ, "long"))


def stop_after(windows: int) -> Callable[[Event], None]:
    """A listener that ends the work, as a cancelled job's does."""
    told = []

    def listener(event: Event) -> None:
        told.append(event)
        if sum(isinstance(one, Progress) for one in told) == windows:
            raise _StoppedError

    return listener


def broken_off(
    recognizer: Recognizer, recording: PreparedAudio, folder: Path, **more: bool
) -> Path:
    """Stop after four windows; what is left of it."""
    with pytest.raises(_StoppedError):
        recognizer.infer(recording, listener=stop_after(4), checkpoint_dir=folder, **more)
    (path,) = folder.iterdir()
    return path


def facts(result: Result) -> dict[str, object]:
    """Of the step that ran the model."""
    return dict(result.steps[-1].data)


@pytest.mark.parametrize("embedding", [False, True])
def test_it_goes_on_and_says_the_same(
    recognizer: Recognizer,
    recording: PreparedAudio,
    backend: FakeBackend,
    tmp_path: Path,
    embedding: bool,
) -> None:
    whole = recognizer.infer(recording, granularity="frame", embedding=embedding)
    assert len(backend.batches) == WINDOWS

    broken_off(recognizer, recording, tmp_path, embedding=embedding)
    backend.batches.clear()
    result = recognizer.infer(
        recording, granularity="frame", embedding=embedding, checkpoint_dir=tmp_path
    )

    assert len(backend.batches) == WINDOWS - 4
    assert facts(result)["windows_kept"] == 4
    np.testing.assert_array_equal(result.track.logits, whole.track.logits)
    assert result.segments == whole.segments
    if embedding:
        np.testing.assert_array_equal(result.embedding, whole.embedding)
    assert list(tmp_path.iterdir()) == []


def test_another_model_begins_anew(
    recognizer: Recognizer, recording: PreparedAudio, tmp_path: Path
) -> None:
    broken_off(recognizer, recording, tmp_path)
    backend = FakeBackend()
    other = Recognizer(backend, ModelRef("fake", "2", "1" * 64))

    assert "windows_kept" not in facts(other.infer(recording, checkpoint_dir=tmp_path))
    assert len(backend.batches) == WINDOWS


@pytest.mark.parametrize("damage", ["torn", "flipped", "no record at all"])
def test_what_is_damaged_is_asked_again(
    recognizer: Recognizer,
    recording: PreparedAudio,
    backend: FakeBackend,
    tmp_path: Path,
    damage: str,
) -> None:
    whole = recognizer.infer(recording)
    path = broken_off(recognizer, recording, tmp_path)
    data = bytearray(path.read_bytes())
    if damage == "torn":
        data = data[:-5]
    elif damage == "flipped":
        data[-5] ^= 1
    else:
        data = bytearray(b"\xff" * 999)
    path.write_bytes(data)
    backend.batches.clear()

    result = recognizer.infer(recording, checkpoint_dir=tmp_path)

    assert len(backend.batches) == WINDOWS - (0 if damage == "no record at all" else 3)
    assert result.scores == whole.scores


def test_a_full_disk_costs_no_answer(
    recognizer: Recognizer, recording: PreparedAudio, tmp_path: Path
) -> None:
    (tmp_path / "no folder").write_bytes(b"")

    result = recognizer.infer(recording, checkpoint_dir=tmp_path / "no folder")

    assert result.scores == recognizer.infer(recording).scores
    if Path("/dev/full").exists():
        kept = resume.WindowCache(recognizer._forward, Path("/dev/full"), embedding=False)
        assert len(kept.run([recording.waveform.samples[:RATE_HZ]])) == 1


def test_short_sound_leaves_nothing(recognizer: Recognizer, tmp_path: Path) -> None:
    recording = recognizer.decode(wav(noise(30.0)))
    with pytest.raises(_StoppedError):
        recognizer.infer(recording, listener=stop_after(1), checkpoint_dir=tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_old_work_is_thrown_away(
    recognizer: Recognizer, recording: PreparedAudio, tmp_path: Path
) -> None:
    path = broken_off(recognizer, recording, tmp_path)
    then_s = time.time() - resume.KEPT_S - 60
    os.utime(path, (then_s, then_s))
    (tmp_path / "mine.txt").touch()

    assert "windows_kept" not in facts(recognizer.infer(recording, checkpoint_dir=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_channels_go_on_too(recognizer: Recognizer, backend: FakeBackend, tmp_path: Path) -> None:
    data = wav(np.stack([noise(DURATION_S), 0.5 * noise(DURATION_S)], axis=1))
    with pytest.raises(_StoppedError):
        # Reading tells of progress, too: once per block.
        recognize_channels_with(
            recognizer, data, listener=_stop_in_second_channel(), checkpoint_dir=tmp_path
        )
    done = len(backend.batches)

    heard = recognize_channels_with(recognizer, data, checkpoint_dir=tmp_path)

    assert WINDOWS < done < 2 * WINDOWS
    assert facts(heard.results[1])["windows_kept"] == done - WINDOWS
    assert list(tmp_path.rglob("*.rows")) == []


def _stop_in_second_channel() -> Callable[[Event], None]:
    def listener(event: Event) -> None:
        inferring = isinstance(event, Progress) and event.step == "infer"
        if inferring and event.done_s > 1.5 * DURATION_S:
            raise _StoppedError

    return listener
