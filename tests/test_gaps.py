"""A medium with gaps: the answer is that of its sound, the times are those of the medium."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import make_speech
from emoscope.audio.decode import decode, decode_live
from emoscope.audio.live_channels import LiveChannels
from emoscope.audio.missing import Gap, in_portions, without_gaps
from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import main as cli
from emoscope.errors import AudioSilentError
from emoscope.evaluate.robustness import perturb
from emoscope.figures.pyramid import curve_of
from emoscope.inference.windowed import WHOLE_S, on_axis
from emoscope.limits import Limits
from emoscope.multichannel import recognize_channels_with
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer, load
from emoscope.results.result import ModelRef, Result
from emoscope.results.summary import moments
from emoscope.results.track import Track
from emoscope.streaming.stream import (
    Finished,
    FramesHeard,
    SegmentClosed,
    StreamEvent,
    StreamRecognizer,
)
from emoscope.waveform import HOP_S, RATE_HZ, Samples, Span, Waveform, frame_count
from raising import raises_code
from sounds import encode, encode_frame, remuxed, sample

Speech = Callable[..., np.ndarray]
MODEL = ModelRef("fake", "1", "0" * 64)


def with_gaps(sound: Samples, gaps: list[tuple[float, float]]) -> Waveform:
    """The sound with a gap before each of these times (of the sound), of so many seconds."""
    parts, missing, at, end = list[Samples](), list[Span](), 0, 0
    for before_s, length_s in gaps:
        first = round(before_s * RATE_HZ)
        parts.append(sound[at:first])
        end += first - at
        at, samples = first, round(length_s * RATE_HZ)
        parts.append(np.zeros(samples, np.float32))
        missing.append(Span(end / RATE_HZ, (end + samples) / RATE_HZ))
        end += samples
    return Waveform(np.concatenate([*parts, sound[at:]]), missing=tuple(missing))


def rows_of_sound(result: Result) -> np.ndarray:
    """Which rows lie outside of the missing spans."""
    assert result.track is not None
    mask = np.ones(len(result.track), np.bool_)
    for span in result.missing:
        first, last = (int(np.ceil(at / HOP_S - 1e-9)) for at in (span.start_s, span.end_s))
        mask[first:last] = False
    return mask


GAPS = st.lists(
    st.tuples(st.integers(0, 180), st.integers(1, 300)), max_size=5, unique_by=lambda gap: gap[0]
).map(lambda gaps: [(at * 0.0161, hops * HOP_S) for at, hops in sorted(gaps)])


@given(GAPS, st.integers(0, 3))
@settings(max_examples=25)
def test_the_answer_is_that_of_the_sound(gaps: list[tuple[float, float]], seed: int) -> None:
    sound = make_speech(3.0, seed=seed)
    recognizer = Recognizer(FakeBackend(), MODEL)
    whole = recognizer.recognize(Waveform(sound), granularity="frame", embedding=True)
    result = recognizer.recognize(with_gaps(sound, gaps), granularity="frame", embedding=True)
    assert whole.track is not None
    assert result.track is not None
    assert result.embedding is not None
    heard = rows_of_sound(result)
    mean = whole.track.logits.mean(axis=0, dtype=np.float64)

    assert len(result.track) == frame_count(round(result.duration_s * RATE_HZ))
    assert len(result.embedding) == len(result.track)
    np.testing.assert_array_equal(result.track.logits[heard], whole.track.logits)
    np.testing.assert_array_equal(result.embedding[heard], whole.embedding)
    np.testing.assert_allclose(result.track.logits.mean(axis=0, dtype=np.float64), mean, atol=1e-6)
    np.testing.assert_allclose(result.scores.values, whole.scores.values, atol=1e-7)
    np.testing.assert_allclose(
        result.utterance_embedding, whole.utterance_embedding, atol=1e-6, rtol=1e-6
    )
    assert result.quality == whole.quality
    assert result.abstain == whole.abstain
    assert result.summary is not None
    assert sum(result.summary.shares.values()) == pytest.approx(1)
    assert result.segments[0].span.start_s == 0
    assert result.segments[-1].span.end_s == result.duration_s
    assert not result.track.speech[~heard].any()  # type: ignore[index]


def test_nobody_speaks_where_sound_is_missing(fake_recognizer: Recognizer, speech: Speech) -> None:
    result = fake_recognizer.recognize(
        with_gaps(speech(6.0), [(0.0, 3.0), (3.0, 5.0)]), granularity="frame"
    )

    assert result.missing == (Span(0.0, 3.0), Span(6.0, 11.0))
    assert result.sound_starts_s == 3.0
    for span in result.missing:
        here = [one for one in result.segments if one.span.start_s < span.end_s - 0.1]
        inside = [one for one in here if one.span.end_s > span.start_s + 0.1]
        assert all(one.silent for one in inside)
    assert result.summary is not None
    for moment in result.summary.moments:
        for span in result.missing:
            assert moment.span.end_s <= span.start_s or moment.span.start_s >= span.end_s


def test_moments_are_moments_of_sound() -> None:
    attribution = np.concatenate([np.ones(100), np.full(50, 0.1)])

    found = moments(attribution, 3.005, [Span(0.0, 2.0)])
    assert [moment.span for moment in found] == [Span(2.0, 2.5), Span(2.5, 3.0)]


def test_gaps_do_not_make_a_recording_longer_than_it_is(fake_recognizer: Recognizer) -> None:
    """What is too short or silent stays that, however long the picture runs."""
    with raises_code("audio_too_short"):
        fake_recognizer.recognize(with_gaps(make_speech(0.05), [(0.0, 5.0)]))
    with pytest.raises(AudioSilentError):
        fake_recognizer.recognize(with_gaps(np.zeros(16_000, np.float32), [(0.5, 5.0)]))
    nothing = Waveform(np.zeros(16_000, np.float32), missing=(Span(0.0, 1.0),))
    with raises_code("audio_too_short"):
        fake_recognizer.recognize(nothing)


def test_result_json_says_where_sound_is_missing(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    result = fake_recognizer.recognize(with_gaps(speech(2.0), [(0.0, 3.0), (1.0, 0.5)]))
    data = result.to_dict()

    assert data["medium"] == {
        "sound_starts_s": 3.0,
        "missing": [{"start_s": 0.0, "end_s": 3.0}, {"start_s": 4.0, "end_s": 4.5}],
    }
    assert Result.from_dict(json.loads(json.dumps(data))).missing == result.missing
    del data["medium"]
    assert Result.from_dict(data).missing == (), "results of before are read as ever"
    whole = fake_recognizer.recognize(Waveform(speech(2.0)))
    assert whole.to_dict()["medium"] == {"sound_starts_s": 0.0, "missing": []}


def test_what_is_kept_is_on_the_time_axis_of_the_medium(
    fake_recognizer: Recognizer, speech: Speech, tmp_path: Path
) -> None:
    waveform = with_gaps(speech(2.0), [(0.0, 3.0)])
    recording = fake_recognizer.decode(waveform)
    result = fake_recognizer.infer(recording, granularity="frame")
    run = RunStore(tmp_path).save(result, recording.waveform)
    kept = decode(run.path / "processed_audio.wav")
    curve = curve_of(result, recording.waveform)

    np.testing.assert_allclose(kept.samples, waveform.samples, atol=1 / 32_768)
    assert not kept.samples[: 3 * RATE_HZ].any()
    assert curve.duration_s == 5.0
    assert (curve.quiet[0][:150] == 100).all()


def test_long_sound_with_a_gap_goes_through_the_same_windows(speech: Speech) -> None:
    sound = speech(WHOLE_S + 15.0)
    recognizer = Recognizer(FakeBackend(), MODEL)
    whole = recognizer.recognize(Waveform(sound), granularity="frame")
    result = recognizer.recognize(with_gaps(sound, [(20.0, 40.0)]), granularity="frame")

    np.testing.assert_array_equal(
        result.track.logits[rows_of_sound(result)],  # type: ignore[union-attr]
        whole.track.logits,  # type: ignore[union-attr]
    )


def test_a_long_embedding_is_laid_out_on_the_disk() -> None:
    rows = np.random.default_rng(0).standard_normal((30_000, 80)).astype(np.float32)
    track = Track(rows[:, :9].copy())
    gaps = (Gap(0, 16_000), Gap(320 * 29_999, 320 * 10_000))
    again, vectors = on_axis(track, rows, gaps)
    assert vectors is not None

    assert len(again) == len(vectors) == 40_050
    np.testing.assert_array_equal(vectors[50 : 50 + 29_999], rows[:-1])
    np.testing.assert_array_equal(vectors[-1], rows[-1])
    np.testing.assert_allclose(vectors[-2], rows.mean(axis=0, dtype=np.float64), atol=1e-6)


def test_samples_at_another_rate_keep_their_gaps(fake_recognizer: Recognizer) -> None:
    samples = np.concatenate([np.zeros(44_100), make_speech(2.0).repeat(3)]).astype(np.float32)
    result = fake_recognizer.recognize(Waveform(samples, 44_100, missing=(Span(0.0, 1.0),)))

    assert result.missing == (Span(0.0, 1.0),)


def test_whether_an_answer_is_stable_is_asked_of_the_sound(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    sound = speech(2.0)
    found = perturb(fake_recognizer, with_gaps(sound, [(0.0, 3.0), (1.0, 2.0)]))
    plain = perturb(fake_recognizer, Waveform(sound))

    assert [change.difference for change in found.changes] == [
        change.difference for change in plain.changes
    ]


# --- live -----------------------------------------------------------------------------------------


def play(stream: StreamRecognizer, waveform: Waveform, size: int) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    for portion in in_portions(waveform, size):
        if isinstance(portion, Gap):
            events += stream.miss(portion.duration_s)
        else:
            events += stream.feed(portion)
    return events + stream.finish()


def check_equal(events: list[StreamEvent], whole: Result) -> None:
    """The result is that of the file, and so are the final events, each row told once."""
    finished = events[-1]
    assert isinstance(finished, Finished)
    result = finished.result
    assert whole.track is not None
    assert result.track is not None
    assert (result.missing, result.duration_s) == (whole.missing, whole.duration_s)
    np.testing.assert_allclose(result.track.logits, whole.track.logits, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(result.track.speech, whole.track.speech)
    assert result.segments == whole.segments
    assert result.quality == whole.quality
    rows = [event for event in events if isinstance(event, FramesHeard) and event.final]
    told = {event.first_frame + n: row for event in rows for n, row in enumerate(event.logits)}
    assert len(told) == sum(len(event.logits) for event in rows) == len(result.track)
    np.testing.assert_array_equal([told[n] for n in range(len(told))], result.track.logits)
    closed = tuple(e.segment for e in events if isinstance(e, SegmentClosed) and e.final)
    assert closed == result.segments


@given(GAPS, st.integers(0, 3), st.sampled_from([700, 1_600, 20_000]))
@settings(max_examples=20)
def test_a_stream_with_gaps_gives_what_the_file_gives(
    gaps: list[tuple[float, float]], seed: int, size: int
) -> None:
    waveform = with_gaps(make_speech(3.0, seed=seed), gaps)
    recognizer = Recognizer(FakeBackend(), MODEL)
    whole = recognizer.recognize(waveform, granularity="frame", embedding=True)
    events = play(StreamRecognizer(recognizer, embedding=True), waveform, size)

    check_equal(events, whole)
    np.testing.assert_array_equal(events[-1].result.embedding, whole.embedding)  # type: ignore[union-attr]
    np.testing.assert_array_equal(events[-1].waveform.samples, waveform.samples)  # type: ignore[union-attr]


def test_a_stream_past_a_window_and_a_gap_at_its_end(speech: Speech) -> None:
    waveform = with_gaps(speech(WHOLE_S + 6.0), [(10.0, 7.0), (WHOLE_S + 6.0, 1.0)])
    recognizer = Recognizer(FakeBackend(), MODEL)
    whole = recognizer.recognize(waveform, granularity="frame")

    check_equal(play(StreamRecognizer(recognizer), waveform, 1_600), whole)


def test_provisional_rows_of_a_gap_are_silent(fake_recognizer: Recognizer, speech: Speech) -> None:
    waveform = with_gaps(speech(4.0), [(2.0, 5.0)])
    events = play(StreamRecognizer(fake_recognizer), waveform, 1_600)
    rows = [event for event in events if isinstance(event, FramesHeard) and not event.final]
    gap = [event for event in rows if 105 <= event.first_frame + len(event.logits) // 2 < 345]

    assert sum(len(event.logits) for event in gap) == 250
    assert not any(event.speech.any() for event in gap)


def test_other_rates_have_gaps_too(fake_recognizer: Recognizer, speech: Speech) -> None:
    stream = StreamRecognizer(fake_recognizer, rate_hz=8_000)
    stream.feed(speech(2.0)[::2].copy())
    stream.miss(5.0)
    stream.feed(speech(2.0)[::2].copy())
    finished = stream.finish()[-1]
    assert isinstance(finished, Finished)

    assert finished.result.missing == (Span(2.0, 7.0),)
    assert finished.result.duration_s == pytest.approx(9.0, abs=0.01)


@functools.cache
def video() -> bytes:
    """A WebM with pictures from zero, sound from 3 s, and 5 s without any in its middle."""
    data = encode(np.tile(sample("happy_zh.wav"), 2), "webm")
    return remuxed(data, "webm", lambda at_s: 3.0 if at_s < 4.0 else 8.0, pictures=150)


def test_a_live_container_gives_what_its_file_gives(fake_recognizer: Recognizer) -> None:
    whole = fake_recognizer.recognize(video(), granularity="frame")
    stream, data = StreamRecognizer(fake_recognizer), io.BytesIO(video())
    channels = LiveChannels()
    events: list[StreamEvent] = []
    for block in decode_live(lambda size: data.read(min(size, 900)), Limits()):
        if isinstance(block, Gap):
            channels.miss(block.samples)
            events += stream.miss(block.duration_s)
        else:
            events += stream.feed(channels.feed(block))

    assert len(whole.missing) == 2
    check_equal(events + stream.finish(channels.finish()), whole)


@pytest.mark.parametrize("opposite", [True, False])
def test_live_channels_that_cancel_keep_the_gaps(
    opposite: bool, fake_recognizer: Recognizer
) -> None:
    """Which channel is taken is known only after the sound has begun; the gap lies before it."""
    mono = np.tile(sample("happy_zh.wav"), 2).repeat(3)
    planes = np.stack([mono, -mono if opposite else mono]).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(planes, "fltp", "stereo")
    frame.sample_rate = 48_000
    data = encode_frame(frame, "webm", "libopus")
    data = remuxed(data, "webm", lambda at_s: 3.0 if at_s < 4.0 else 8.0)
    whole = fake_recognizer.recognize(data, granularity="frame")
    stream, channels, source = StreamRecognizer(fake_recognizer), LiveChannels(), io.BytesIO(data)
    for block in decode_live(lambda size: source.read(min(size, 900)), Limits()):
        if isinstance(block, Gap):
            channels.miss(block.samples)
            stream.miss(block.duration_s)
        else:
            stream.feed(channels.feed(block))
    finished = stream.finish(channels.finish())[-1]
    assert isinstance(finished, Finished)

    assert ("phase_cancelled" in whole.quality.reasons) is opposite
    assert finished.result.missing == whole.missing
    assert finished.result.duration_s == whole.duration_s
    assert finished.result.segments == whole.segments
    np.testing.assert_allclose(finished.result.scores.values, whole.scores.values, atol=1e-5)


def test_a_late_start_is_kept_before_the_number_of_channels_is_known() -> None:
    channels, sound = LiveChannels(), make_speech(2.0)
    channels.miss(48_000)
    for part in (sound[:8_000], sound[8_000:]):  # at first the mean, then one of the two
        channels.feed(np.stack([part, -part]))
    mixed = channels.finish()
    assert mixed.samples is not None

    assert len(mixed.samples) == 48_000 + len(sound)
    assert not mixed.samples[:48_000].any()
    np.testing.assert_array_equal(np.abs(mixed.samples[48_000:]), np.abs(sound))


# --- with the real model --------------------------------------------------------------------------


@pytest.mark.parametrize("container", ["webm", "matroska"])
def test_compact_answers_a_late_start_as_the_sound_alone(container: str) -> None:
    recognizer = load("compact", threads=1)
    data = encode(sample("happy_zh.wav"), "webm")
    plain = recognizer.recognize(remuxed(data, container, lambda _: 0.0), granularity="frame")
    late = recognizer.recognize(remuxed(data, container, lambda _: 3.0), granularity="frame")

    assert late.duration_s == pytest.approx(plain.duration_s + 3.0)
    np.testing.assert_allclose(late.scores.values, plain.scores.values, atol=1e-6)
    assert (late.segments[0].silent, late.segments[0].span.start_s) == (True, 0.0)
    spoken = [one.span.start_s for one in late.segments if not one.silent]
    before = [one.span.start_s for one in plain.segments if not one.silent]
    np.testing.assert_allclose(spoken[1:], np.array(before[1:]) + 3.0, atol=0.011)
    assert spoken[0] >= 3.0


def test_channels_are_on_the_time_axis_of_the_medium(fake_recognizer: Recognizer) -> None:
    found = recognize_channels_with(fake_recognizer, video(), granularity="frame")

    assert len(found.results) == 2  # the encoder makes two of one
    for result, waveform in zip(found.results, found.waveforms, strict=True):
        assert result.missing == waveform.missing
        assert result.sound_starts_s == 3.0


def test_subtitles_lie_beside_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "video.webm"
    path.write_bytes(video())
    arguments = ["--granularity", "frame", "-m", "compact", "--threads", "1"]
    cli.app(
        ["recognize", str(path), "--save", "--outputs", str(tmp_path / "runs"), *arguments],
        standalone_mode=False,
    )
    (run,) = (tmp_path / "runs").glob("outputs_*")
    out = tmp_path / "video.srt"
    cli.app(["export", str(run), "--format", "srt", "--out", str(out)], standalone_mode=False)
    capsys.readouterr()
    first = out.read_text("utf-8").splitlines()[1]

    hours, minutes, seconds = first.split(" --> ")[0].replace(",", ".").split(":")
    assert (hours, minutes) == ("00", "00")
    assert 3.0 <= float(seconds) < 4.0


@pytest.mark.process
def test_a_replay_gives_what_the_file_gives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "video.webm"
    path.write_bytes(video())
    cli.app(
        ["stream", str(path), "--fast", "--json", "-m", "compact", "--threads", "1"],
        standalone_mode=False,
    )
    last = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    whole = load("compact", threads=1).recognize(path, granularity="frame")

    assert last["medium"] == whole.to_dict()["medium"]
    assert last["segments"] == [segment.to_dict() for segment in whole.segments]
    assert last["scores"] == pytest.approx(whole.scores.to_dict(), abs=1e-5)


def test_without_gaps_a_waveform_is_itself(speech: Speech) -> None:
    waveform = Waveform(speech(1.0))

    assert without_gaps(waveform).samples is not None
    assert np.shares_memory(without_gaps(waveform).samples, waveform.samples)
    late = with_gaps(speech(1.0), [(0.0, 2.0)])
    assert np.shares_memory(without_gaps(late).samples, late.samples), "no copy of a late start"
