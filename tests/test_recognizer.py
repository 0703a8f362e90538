"""The one path of all front ends: from a source to a ``Result``."""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from emoscope import once
from emoscope.audio.inputs import name_of
from emoscope.backends.base import Output
from emoscope.backends.fake_backend import FakeBackend
from emoscope.backends.onnx_backend import OnnxBackend
from emoscope.events import Event, Progress, Step
from emoscope.inference.windowed import CONTEXT_S, WHOLE_S, WINDOW_S
from emoscope.limits import Limits
from emoscope.recognizer import Recognizer, load
from emoscope.results.result import Failure, ModelRef, Result
from emoscope.waveform import Span, Waveform, frame_count
from raising import raises_code
from sounds import sample, wav

Speech = Callable[..., np.ndarray]
TINY = Path(__file__).parent / "assets" / "tiny.onnx"
MODEL = ModelRef("fake", "1", "0" * 64)


def waveform(samples: np.ndarray, name: str = "") -> Waveform:
    """Samples at 16 kHz."""
    return Waveform(samples.astype(np.float32), name=name)


# --- the way of one recording ---------------------------------------------------------------------


def test_the_steps_of_a_file_come_in_order_with_milliseconds(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    """Every run has a log of ordered steps with milliseconds."""
    data = wav(speech(1.0))
    heard: list[Event] = []
    result = fake_recognizer.recognize(data, listener=heard.append)

    names = [step.name for step in result.steps]
    assert names == ["receive", "decode", "resample", "mix", "check", "infer"]
    assert all(step.milliseconds >= 0 for step in result.steps)
    assert tuple(event for event in heard if isinstance(event, Step)) == result.steps
    facts = {step.name: step.data for step in result.steps}
    assert facts["receive"]["bytes"] == len(data)
    assert facts["infer"] == {"model": "fake", "frames": 49}


def test_samples_need_no_decoding(fake_recognizer: Recognizer, speech: Speech) -> None:
    result = fake_recognizer.recognize(waveform(speech(1.0)))

    assert [step.name for step in result.steps] == ["check", "infer"]
    assert result.source.sha256 is None


def test_recognize_is_prepare_and_answer_in_a_row(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    data = wav(speech(1.0))
    straight = fake_recognizer.recognize(data, granularity="frame", embedding=True, name="a.wav")
    recording = fake_recognizer.decode(data, name="a.wav")
    in_two = fake_recognizer.infer(recording, granularity="frame", embedding=True)

    assert strip(in_two) == strip(straight)
    np.testing.assert_array_equal(in_two.embedding, straight.embedding)


def strip(result: Result) -> dict[str, object]:
    """The JSON of a result without its times."""
    data = result.to_dict()
    data["log"] = [step["step"] for step in data["log"]]
    return {key: value for key, value in data.items() if key not in ("timestamp", "created_utc")}


def test_one_recording_may_be_asked_twice(fake_recognizer: Recognizer, speech: Speech) -> None:
    """A front end asks for frames after the first result; the second log is not longer."""
    recording = fake_recognizer.decode(waveform(speech(1.0)))
    first = fake_recognizer.infer(recording)
    second = fake_recognizer.infer(recording, granularity="frame")

    assert [step.name for step in first.steps] == ["check", "infer"]
    assert [step.name for step in second.steps] == ["check", "infer"]
    assert first.scores == second.scores


def test_who_listens_to_the_answer_hears_of_the_model(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    recording = fake_recognizer.decode(waveform(speech(1.0)))
    heard: list[Event] = []
    fake_recognizer.infer(recording, listener=heard.append)

    assert [event.name for event in heard if isinstance(event, Step)] == ["infer"]


def test_time_that_a_face_spent_on_receiving_is_in_the_log(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    recording = fake_recognizer.decode(wav(speech(1.0)), received_ms=1_234.0)

    assert recording.steps[0].name == "receive"
    assert recording.steps[0].milliseconds >= 1_234.0


# --- what the answer holds ------------------------------------------------------------------------


def test_the_answer_is_the_mean_over_the_frames(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    """By hand: the fake says 20 · level for happy and 2 for neutral, else 0."""
    sound = waveform(speech(2.0), "voice.wav")
    frames = np.lib.stride_tricks.sliding_window_view(sound.samples, 400)[::320]
    levels = np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1))
    powers = np.ones(9)
    powers[3], powers[4] = math.exp(20 * levels.mean()), math.exp(2)
    result = fake_recognizer.recognize(sound)

    np.testing.assert_allclose(result.scores.values, powers / powers.sum(), rtol=1e-5)
    assert result.emotion.index == int(powers.argmax())
    assert result.confidence == result.scores.values.max()
    assert result.name == "voice.wav"
    assert result.duration_s == 2.0
    assert result.model == MODEL


def test_louder_sound_is_happier_to_the_fake(fake_recognizer: Recognizer, speech: Speech) -> None:
    def happy(level: float) -> float:
        return fake_recognizer.recognize(waveform(speech(1.0, level=level))).scores.values[3]

    assert happy(0.02) < happy(0.05) < happy(0.1)


def test_frames_add_the_track_and_segments_and_change_nothing_else(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    sound = waveform(speech(3.3))
    utterance = fake_recognizer.recognize(sound)
    frame = fake_recognizer.recognize(sound, granularity="frame")

    assert (utterance.granularity, utterance.track, utterance.segments) == ("utterance", None, ())
    assert frame.granularity == "frame"
    assert frame.track is not None
    assert len(frame.track) == frame_count(len(sound.samples))
    assert frame.segments[0].span.start_s == 0
    assert frame.segments[-1].span.end_s == sound.duration_s
    assert frame.scores == utterance.scores == frame.track.utterance


def test_the_embedding_comes_when_asked_for(fake_recognizer: Recognizer, speech: Speech) -> None:
    """The embedding has shape (T, D)."""
    sound = waveform(speech(1.0))
    result = fake_recognizer.recognize(sound, embedding=True)

    assert fake_recognizer.recognize(sound).embedding is None
    assert result.embedding is not None
    assert result.embedding.shape == (49, 4)
    assert result.embedding.dtype == np.float32
    assert result.utterance_embedding is not None
    np.testing.assert_allclose(result.utterance_embedding, result.embedding.mean(axis=0), rtol=1e-5)


def test_the_result_says_what_it_was_made_from_and_with(
    fake_recognizer: Recognizer, speech: Speech, tmp_path: Path
) -> None:
    data = wav(speech(1.0))
    path = tmp_path / "开心.wav"
    path.write_bytes(data)
    result = fake_recognizer.recognize(path)

    assert result.source.name == "开心.wav"
    assert result.source.sha256 == hashlib.sha256(data).hexdigest()
    assert {"emoscope", "fake", "numpy", "av", "soxr"} <= result.versions.keys()
    assert result.versions["fake"] == "1"


def test_bytes_path_and_text_are_the_same_source(
    fake_recognizer: Recognizer, speech: Speech, tmp_path: Path
) -> None:
    data = wav(speech(1.0))
    path = tmp_path / "voice.wav"
    path.write_bytes(data)
    answers = [
        strip(fake_recognizer.recognize(source, name="voice.wav"))
        for source in (data, path, str(path))
    ]

    assert answers[0] == answers[1] == answers[2]


def test_names() -> None:
    """A given name, else the file's without its folder, else a word."""
    silence = np.zeros(1, np.float32)
    assert name_of(Waveform(silence, name="x")) == "x"
    assert name_of(Waveform(silence)) == name_of(b"RIFF") == "audio"
    assert name_of("some/folder/开心.wav") == name_of(Path("/x/开心.wav")) == "开心.wav"


def test_a_result_may_be_changed_without_changing_the_next(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    sound = waveform(speech(1.0))
    fake_recognizer.recognize(sound).versions.clear()

    assert fake_recognizer.recognize(sound).versions


def test_the_clock_is_an_argument_and_keeps_its_zone(speech: Speech) -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    moment = datetime(2024, 1, 4, 22, 30, 5, 250_000, kathmandu)
    recognizer = Recognizer(FakeBackend(), MODEL, now=lambda: moment)
    result = recognizer.recognize(waveform(speech(1.0)))

    assert result.created is moment
    assert result.to_dict()["timestamp"] == "2024-01-04 22:30:05"
    assert result.to_dict()["created_utc"] == "2024-01-04T16:45:05.250000+00:00"


def test_the_usual_clock_knows_its_zone(fake_recognizer: Recognizer, speech: Speech) -> None:
    created = fake_recognizer.recognize(waveform(speech(1.0))).created

    assert created.tzinfo is not None
    assert abs(created - datetime.now().astimezone()) < timedelta(minutes=1)


# --- long sound -----------------------------------------------------------------------------------


@pytest.mark.parametrize("duration_s", [29.99, 30.02, 30.03, 61.7])
def test_windows_give_the_rows_of_the_whole(duration_s: float, speech: Speech) -> None:
    """T of the formula, and for a model that hears locally the very same rows."""
    sound = waveform(np.resize(speech(5.0), round(duration_s * 16_000)))
    backend = FakeBackend()
    result = Recognizer(backend, MODEL).recognize(sound, granularity="frame", embedding=True)

    rows = frame_count(len(sound.samples))
    assert result.track is not None
    assert result.embedding is not None
    assert len(result.track) == len(result.embedding) == rows
    whole = FakeBackend().run(sound.samples[None], np.array([len(sound.samples)]))
    np.testing.assert_array_equal(result.track.logits, whole.frame_logits[0, :rows])
    np.testing.assert_array_equal(result.embedding, whole.frame_embeddings[0, :rows])
    is_whole = rows <= 1_500
    longest = max(size for _, size in backend.batches)
    assert longest <= (WHOLE_S if is_whole else WINDOW_S + 2 * CONTEXT_S) * 16_000 + 400
    assert all(clips == 1 for clips, _ in backend.batches)
    assert (len(backend.batches) == 1) == is_whole


def test_progress_rises_to_the_whole_length(fake_recognizer: Recognizer, speech: Speech) -> None:
    sound = waveform(np.resize(speech(5.0), 70 * 16_000))
    heard: list[Event] = []
    fake_recognizer.recognize(sound, listener=heard.append)
    progress = [event for event in heard if isinstance(event, Progress)]

    assert len(progress) == 7
    assert [event.total_s for event in progress] == [70.0] * 7
    done = [event.done_s for event in progress]
    assert done == sorted(set(done))
    assert done[-1] == 70.0


def test_a_file_that_breaks_off_is_judged_so_far_and_said(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    """Nothing that was read is lost."""
    whole = wav(speech(4.0))
    result = fake_recognizer.recognize(whole[: len(whole) // 2])

    assert result.duration_s == pytest.approx(2.0, abs=0.01)
    assert "broken_off" in result.quality.reasons
    assert "broken_off" not in fake_recognizer.recognize(whole).quality.reasons


def test_who_listens_can_stop_a_long_recording(speech: Speech) -> None:
    class StopHereError(Exception):
        pass

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.done_s > 30:
            raise StopHereError

    backend = FakeBackend()
    with pytest.raises(StopHereError):
        Recognizer(backend, MODEL).recognize(
            waveform(np.resize(speech(5.0), 200 * 16_000)), listener=stop
        )
    assert len(backend.batches) == 4


def test_long_sound_lies_on_the_disk_and_may_be_asked_twice(
    fake_recognizer: Recognizer, speech: Speech, tmp_path: Path
) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav(np.resize(speech(5.0), 150 * 16_000)))
    recording = fake_recognizer.decode(path)
    first = fake_recognizer.infer(recording, granularity="frame", embedding=True)
    second = fake_recognizer.infer(recording)

    assert isinstance(recording.waveform.samples.base, memoryview), "mapped from a file"
    assert first.scores == second.scores
    assert first.embedding is not None
    assert first.embedding.shape == (frame_count(150 * 16_000), 4)
    in_memory = fake_recognizer.recognize(
        waveform(np.array(recording.waveform.samples)), granularity="frame"
    )
    assert in_memory.track == first.track
    assert in_memory.quality == first.quality


# --- what is refused ------------------------------------------------------------------------------

VOICE_16_BIT = (0.1 * np.sin(np.arange(16_000) / 10)).astype(np.float32)

REFUSED = {
    "no bytes": (b"", "audio_empty_file"),
    "text": (b"no sound at all, just words" * 9, "audio_not_recognized"),
    "no samples": (wav(np.zeros(0, np.float32)), "audio_no_samples"),
    "0.05 s": (wav(VOICE_16_BIT[:800]), "audio_too_short"),
    "silence": (wav(np.zeros(16_000, np.float32)), "audio_silent"),
    "no such file": ("no/such/file.wav", "source_not_found"),
    "a name that no file can have": ("nul\0.wav", "source_not_found"),
    "no samples given": (waveform(np.zeros(0)), "audio_no_samples"),
    "one sample given": (waveform(np.ones(1)), "audio_too_short"),
    "0.099 s given": (waveform(VOICE_16_BIT[:1_599]), "audio_too_short"),
    "silence given": (waveform(np.zeros(16_000)), "audio_silent"),
    "below -80 dBFS": (waveform(VOICE_16_BIT * 9e-4), "audio_silent"),
    "not a number": (waveform(np.where(np.arange(16_000) == 7, np.nan, 0.1)), "audio_not_finite"),
    "infinity": (waveform(np.where(np.arange(16_000) == 7, -np.inf, 0.1)), "audio_not_finite"),
}


@pytest.mark.parametrize(("source", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_before_the_model_runs(
    source: bytes | str | Waveform, code: str
) -> None:
    backend = FakeBackend()

    with raises_code(code):
        Recognizer(backend, MODEL).recognize(source)
    assert backend.batches == []


def test_a_tenth_of_a_second_is_enough_but_nothing_should_be_read_from_it(
    fake_recognizer: Recognizer,
) -> None:
    """Abstention is apart from ``other`` and ``unknown``."""
    result = fake_recognizer.recognize(waveform(VOICE_16_BIT[:1_600]))

    assert "too_short" in result.abstain
    spoken = waveform(sample("happy_zh.wav")[16_000:32_000])
    assert fake_recognizer.recognize(spoken).abstain == ()
    assert fake_recognizer.recognize(spoken.cut(Span(0, 0.59))).abstain == ("too_short",)


def test_a_recording_without_speech_gets_no_emotion(fake_recognizer: Recognizer) -> None:
    """Silence with a little hiss is not silent, but says nothing."""
    hiss = 3e-4 * np.random.default_rng(0).standard_normal(32_000)

    assert fake_recognizer.recognize(waveform(hiss)).abstain == ("no_speech",)


def test_limits_hold_for_samples_and_files_alike(speech: Speech) -> None:
    recognizer = Recognizer(FakeBackend(), MODEL, limits=Limits(max_duration_s=1.0))
    too_long = speech(1.01)

    for source in (waveform(too_long), wav(too_long)):
        with raises_code("audio_too_long"):
            recognizer.recognize(source)
    assert recognizer.recognize(waveform(too_long[:16_000])).duration_s == 1.0


def test_no_limit_lets_in_less_than_the_model_needs() -> None:
    """One frame is 25 ms, whatever a caller sets."""
    recognizer = Recognizer(FakeBackend(), MODEL, limits=Limits(min_duration_s=0.0))

    with raises_code("audio_too_short", match=r"0\.025"):
        recognizer.recognize(waveform(VOICE_16_BIT[:399]))
    assert recognizer.recognize(waveform(VOICE_16_BIT[:400])).duration_s == 0.025


def test_samples_at_another_rate_are_resampled(fake_recognizer: Recognizer) -> None:
    tone = (0.4 * np.sin(np.arange(44_100) * 0.1)).astype(np.float32)

    recording = fake_recognizer.decode(Waveform(tone, 44_100, "tone"))

    assert recording.waveform.rate_hz == 16_000
    assert recording.waveform.duration_s == pytest.approx(1.0, abs=0.001)


def test_a_wrong_granularity_is_told_before_the_first_recording(
    fake_recognizer: Recognizer,
) -> None:
    with raises_code("granularity_invalid"):
        fake_recognizer.recognize_many(["never read"], granularity="word")  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_once(fake_recognizer: Recognizer, tmp_path: Path) -> None:
    """As in ``emoscope recognize <(sox ...)``: what is hashed must be what is decoded."""
    pipe, data = tmp_path / "pipe", wav(0.3 * np.sin(np.arange(16_000) * 0.1))
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()

    recording = fake_recognizer.decode(pipe)

    writer.join()
    assert recording.source.sha256 == hashlib.sha256(data).hexdigest()
    assert recording.waveform.duration_s == 1.0


@pytest.mark.parametrize("word", ["Frame", "frames", "", "utterance "])
def test_granularity_is_one_of_two_words(
    word: str, fake_recognizer: Recognizer, speech: Speech
) -> None:
    with raises_code("granularity_invalid") as caught:
        fake_recognizer.recognize(waveform(speech(1.0)), granularity=word)  # type: ignore[arg-type]
    assert caught.value.data == {"value": word}


# --- lists ----------------------------------------------------------------------------------------


def test_one_bad_source_ends_nothing(
    fake_recognizer: Recognizer, speech: Speech, tmp_path: Path
) -> None:
    """An answer for each, in order, in its place."""
    good = waveform(speech(1.0), "good")
    sources = [good, b"", tmp_path / "lost.wav", wav(speech(1.0)), waveform(np.zeros(9), "zeros")]
    answers = list(fake_recognizer.recognize_many(sources, granularity="frame", embedding=True))

    assert [type(answer) for answer in answers] == [Result, Failure, Failure, Result, Failure]
    assert [answer.name for answer in answers] == ["good", "audio", "lost.wav", "audio", "zeros"]
    codes = [answer.error.code for answer in answers if isinstance(answer, Failure)]
    assert codes == ["audio_empty_file", "source_not_found", "audio_too_short"]
    assert isinstance(answers[3], Result)
    assert answers[3].track is not None
    assert answers[3].embedding is not None


def test_a_list_is_read_as_it_is_needed(fake_recognizer: Recognizer, speech: Speech) -> None:
    """A million recordings need not be in memory for the first answer."""
    taken: list[int] = []

    def sources():  # type: ignore[no-untyped-def]
        for number in range(1_000_000):
            taken.append(number)
            yield waveform(speech(0.5))

    answers = fake_recognizer.recognize_many(sources())
    assert taken == []
    next(answers)
    next(answers)
    assert taken == [0, 1]


def test_a_model_that_breaks_on_one_recording_does_not_end_the_list(speech: Speech) -> None:
    """Numbers that are not finite become a failure of that recording, not a crash."""

    class Nervous(FakeBackend):
        def run(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
            output = super().run(waveform, lengths)
            if waveform.max() > 0.5:
                output.frame_logits[:] = np.nan
            return output

    calm, loud = waveform(0.1 * speech(1.0)), waveform(np.clip(9 * speech(1.0), -1, 1))
    answers = list(Recognizer(Nervous(), MODEL).recognize_many([calm, loud, calm]))

    assert [type(answer) for answer in answers] == [Result, Failure, Result]
    assert isinstance(answers[1], Failure)
    assert answers[1].error.code == "model_contract"


def test_a_bug_of_ours_is_not_swallowed(speech: Speech) -> None:
    class Buggy(FakeBackend):
        def run(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
            raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        list(Recognizer(Buggy(), MODEL).recognize_many([waveform(speech(1.0))]))


# --- many at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", [FakeBackend, lambda: OnnxBackend(TINY, threads=1)])
def test_threads_get_the_answers_of_one(
    backend: Callable[[], FakeBackend | OnnxBackend], speech: Speech
) -> None:
    recognizer = Recognizer(backend(), MODEL)
    sources = [wav(speech(0.5 + 0.1 * i, seed=i)) for i in range(6)] * 4
    alone = [strip(recognizer.recognize(source, granularity="frame")) for source in sources]

    with ThreadPoolExecutor(8) as threads:
        together = threads.map(
            lambda source: strip(recognizer.recognize(source, granularity="frame")), sources
        )
        for one, other in zip(alone, together, strict=True):
            assert close(one.pop("frames"), other.pop("frames"))  # type: ignore[arg-type]
            assert one["source"] == other["source"]
            assert one["emotion"] == other["emotion"]
            assert one["quality"] == other["quality"]
            assert one["log"] == other["log"]


def close(one: dict[str, list[float]], other: dict[str, list[float]]) -> bool:
    """Whether two tracks agree."""
    return np.allclose(one["logits"], other["logits"], atol=1e-5, rtol=0)


# --- loading --------------------------------------------------------------------------------------


def test_a_folder_with_a_card_is_a_model(tmp_path: Path, speech: Speech) -> None:
    content = TINY.read_bytes()
    (tmp_path / "model.onnx").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    (tmp_path / "card.json").write_text(
        '{"name": "tiny", "revision": "r1", "dim": 4, "licence": "CC0-1.0",'
        ' "title_zh": "极小", "title_en": "Tiny",'
        f' "files": [{{"path": "model.onnx", "bytes": {len(content)}, "sha256": "{sha256}"}}]}}',
        "utf-8",
    )
    recognizer = load(tmp_path, threads=1, now=lambda: datetime(2024, 1, 4, tzinfo=UTC))
    result = recognizer.recognize(waveform(speech(1.0)), embedding=True)

    assert result.model == ModelRef("tiny", "r1", sha256)
    assert result.embedding is not None
    assert result.embedding.shape == (49, 4)
    assert result.created.year == 2024
    assert recognizer.load_s > 0
    assert recognizer.origin == "folder"


def test_the_short_way_is_the_long_way_with_the_model_kept(
    monkeypatch: pytest.MonkeyPatch, fake_recognizer: Recognizer, speech: Speech
) -> None:
    loads: list[object] = []

    def fake_load(model: object) -> Recognizer:
        loads.append(model)
        return fake_recognizer

    monkeypatch.setattr(once, "load", fake_load)
    once.load_once.cache_clear()
    sound = waveform(speech(1.0), "x")
    try:
        first = once.recognize(sound, model="some", granularity="frame")
        again = once.recognize(sound, model=Path("some"), embedding=True)
        (third,) = once.recognize_many([sound], model="some", granularity="frame")
    finally:
        once.load_once.cache_clear()

    assert loads == ["some"]
    assert isinstance(third, Result)
    assert (
        strip(first) == strip(third) == strip(fake_recognizer.recognize(sound, granularity="frame"))
    )
    assert again.embedding is not None


def test_a_waveform_is_not_changed_by_being_recognized(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    sound = waveform(speech(1.0))
    before = sound.samples.copy()
    sound.samples.flags.writeable = False
    fake_recognizer.recognize(sound, granularity="frame", embedding=True)

    np.testing.assert_array_equal(sound.samples, before)
    assert replace(sound, name="y").samples is sound.samples


@pytest.mark.parametrize(("device", "batches"), [("cuda", [1, 3]), ("cpu", [1, 1, 1, 1])])
def test_threads_share_the_runs_of_one_model(
    speech: Speech, device: str, batches: list[int]
) -> None:
    """Batching changes no answer, and no result is that of another call."""
    entered, free = threading.Event(), threading.Event()

    class Slow(FakeBackend):
        def run(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
            if not entered.is_set():
                entered.set()
                assert free.wait(60)
            return super().run(waveform, lengths)

    backend = Slow()
    backend.device = device
    recognizer = Recognizer(backend, MODEL)
    sounds = [waveform(10.0**-i * speech(1.0, seed=i)) for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(recognizer.recognize, sounds[0])
        assert entered.wait(60)
        others = [pool.submit(recognizer.recognize, sound) for sound in sounds[1:]]
        while recognizer._forward.waiting < 3:
            time.sleep(0.001)
        free.set()
    answers = [first.result(), *(other.result() for other in others)]

    assert [clips for clips, _ in backend.batches] == batches
    for sound, answer in zip(sounds, answers, strict=True):
        alone = Recognizer(FakeBackend(), MODEL).recognize(sound)
        np.testing.assert_allclose(answer.scores.values, alone.scores.values, atol=1e-6)


def test_threads_do_not_change_what_a_rounded_model_says(speech: Speech) -> None:
    """Batching changes no answer."""
    backend = FakeBackend()
    recognizer = Recognizer(backend, replace(MODEL, precision="int8"))
    sound = waveform(speech(1.0))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(recognizer.recognize, [sound] * 24))

    assert backend.batches == [(1, 16_000)] * 24


def test_a_closed_recognizer_says_so(fake_recognizer: Recognizer, speech: Speech) -> None:
    fake_recognizer.close()
    fake_recognizer.close()

    with raises_code("engine_closed"):
        fake_recognizer.recognize(waveform(speech(1.0)))
