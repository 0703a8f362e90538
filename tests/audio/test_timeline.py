"""Times are those of the medium: where it holds no sound, time goes on all the same."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoscope.audio.decode import decode, decode_channels, decode_live, decode_of_any_length
from emoscope.audio.decoder_pool import DecoderPool
from emoscope.audio.missing import (
    Axis,
    Gap,
    gaps_of,
    in_pieces,
    interleaved,
    spans_of,
    without_gaps,
)
from emoscope.audio.timeline import GAP_TOLERANCE_S, Timeline
from emoscope.limits import CONTAINERS, Limits
from emoscope.waveform import HOP, RATE_HZ, Samples, Span, Waveform, frame_count
from raising import raises_code
from sounds import FORMATS, encode, noise, remuxed, sample

FRAME_S = 0.02


@dataclass
class Frame:
    """What FFmpeg decodes: 20 ms of sound and a timestamp in microseconds."""

    pts: int | None
    samples: int = 320
    sample_rate: int = 16_000
    time_base: Fraction = Fraction(1, 1_000_000)


def frames_at(stamps: list[float]) -> list[Frame]:
    return [Frame(round(at * 1e6)) for at in stamps]


def watched(timeline: Timeline, stamps: list[float]) -> tuple[Span, ...]:
    """The gaps that are found between frames with these timestamps; all frames must come out."""
    frames = frames_at(stamps)
    assert list(timeline.watch(iter(frames))) == frames
    return spans_of(timeline.gaps)


def steady(count: int, start_s: float = 0.0) -> list[float]:
    return [start_s + number * FRAME_S for number in range(count)]


def test_sound_without_a_gap_has_none() -> None:
    assert watched(Timeline(), steady(500)) == ()


def test_a_late_start_and_a_gap_are_found() -> None:
    stamps = [*steady(50, 3.0), *steady(50, 9.0)]

    assert watched(Timeline(), stamps) == (Span(0.0, 3.0), Span(4.0, 9.0))


@given(st.lists(st.floats(-0.045, 0.045), min_size=1, max_size=300))
def test_jitter_makes_no_gap(jitter: list[float]) -> None:
    stamps = [at + moved for at, moved in zip(steady(len(jitter)), jitter, strict=True)]

    assert watched(Timeline(), stamps) == ()


@given(
    st.lists(st.tuples(st.integers(12, 60), st.floats(0.0, 3.0)), min_size=1, max_size=20),
    st.floats(0.0, 5.0),
)
def test_differences_never_add_up(pieces: list[tuple[int, float]], start_s: float) -> None:
    """However small each gap is, the end of the sound stays where the timestamps put it."""
    stamps, at_s = list[float](), start_s
    for count, pause_s in pieces:
        stamps += steady(count, at_s)
        at_s = stamps[-1] + FRAME_S + pause_s
    timeline = Timeline()
    missing = watched(timeline, stamps)

    assert abs(timeline.at_s - (stamps[-1] + FRAME_S)) <= GAP_TOLERANCE_S + 0.01
    assert all(span.duration_s >= GAP_TOLERANCE_S - 0.011 for span in missing)


@given(st.lists(st.floats(-1e6, 1e9), max_size=300), st.floats(1.0, 100.0))
@settings(max_examples=50)
def test_any_timestamps_give_all_the_sound_and_no_endless_silence(
    stamps: list[float], end_s: float
) -> None:
    timeline = Timeline(end_s=end_s)
    missing = watched(timeline, stamps)

    assert sum(span.duration_s for span in missing) <= end_s + 1.1


def test_timestamps_at_random_leave_the_sound_in_one_piece() -> None:
    stamps = np.random.default_rng(0).uniform(0, 60, 1_000)

    assert watched(Timeline(end_s=60.0), stamps.tolist()) == ()


@pytest.mark.parametrize("at", [0, 1, 100, 199])
@pytest.mark.parametrize("wrong_s", [-50.0, 26 * 3600.0, 50.0])
def test_one_wrong_timestamp_changes_nothing(at: int, wrong_s: float) -> None:
    stamps = steady(200)
    stamps[at] = wrong_s

    assert watched(Timeline(), stamps) == ()


def test_timestamps_that_begin_again_are_counted_from_the_sound() -> None:
    """Two recordings put into one file, one behind the other; the second has a gap of its own."""
    stamps = [*steady(100), *steady(100), *steady(100, 4.0)]

    assert watched(Timeline(), stamps) == (Span(4.0, 6.0),)


@pytest.mark.parametrize("known", [{"max_s": 3600.0}, {"end_s": 60.0}])
def test_a_leap_beyond_all_bounds_is_none(known: dict[str, float]) -> None:
    stamps = [*steady(100), *steady(100, 26 * 3600.0), *steady(100, 26 * 3600.0 + 5.0)]

    assert watched(Timeline(**known), stamps) == (Span(4.0, 7.0),), "later gaps are found"


def test_sound_before_zero_shifts_nothing() -> None:
    assert watched(Timeline(), steady(100, -0.065)) == ()
    assert watched(Timeline(), [*steady(100, -5.0), *steady(100, 0.0)]) == (Span(2.0, 5.0),)


def test_frames_of_a_pause_keep_their_places() -> None:
    """Discontinuous transmission: a frame of comfort noise now and then in pauses."""
    pause = [2.0 + 0.4 * number for number in range(1, 8)]
    stamps = [*steady(100), *pause, *steady(100, 5.0)]
    timeline = Timeline()
    missing = watched(timeline, stamps)

    assert len(missing) == 8
    assert timeline.at_s == pytest.approx(7.0, abs=0.02)


def test_frames_without_a_timestamp_follow_one_another() -> None:
    frames = [*frames_at(steady(20)), *(Frame(None) for _ in range(20))]
    timeline = Timeline()

    assert list(timeline.watch(iter(frames))) == frames
    assert timeline.gaps == []


LATE: Callable[[float], float] = lambda _at_s: 3.0  # noqa: E731
GAP: Callable[[float], float] = lambda at_s: 0.0 if at_s < 2.0 else 5.0  # noqa: E731
BOTH: Callable[[float], float] = lambda at_s: 3.0 if at_s < 2.0 else 8.0  # noqa: E731
CASES = {
    # what is done to the timestamps, and where sound is missing then
    "late": (LATE, [(0.0, 3.0)]),
    "gap": (GAP, [(2.0, 7.0)]),
    "both": (BOTH, [(0.0, 3.0), (5.0, 10.0)]),
    "none": (lambda _at_s: 0.0, []),
}
MEDIA = {
    # container, encoded as, pictures, options of the container
    "webm": ("webm", "webm", 0, {}),
    "webm without a length": ("webm", "webm", 0, {"live": "1"}),
    "webm with pictures": ("webm", "webm", 150, {}),
    "mkv": ("matroska", "m4a", 0, {}),
    "mkv of flac": ("matroska", "flac", 0, {}),
    "mkv of pcm": ("matroska", "wav", 0, {}),
    "mkv of pcm without a length": ("matroska", "wav", 0, {"live": "1"}),
    "mp4": ("mp4", "m4a", 0, {}),
    "mp4 with pictures": ("mp4", "m4a", 150, {}),
    "mov": ("mov", "m4a", 0, {}),
}


@functools.cache
def encoded(name: str) -> bytes:
    return encode(np.tile(sample("happy_zh.wav"), 2), name)


@functools.cache
def medium(name: str, case: str) -> bytes:
    container, codec, pictures, options = MEDIA[name]
    return remuxed(encoded(codec), container, CASES[case][0], pictures=pictures, **options)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", MEDIA)
def test_a_medium_keeps_its_times(name: str, case: str) -> None:
    heard = decode(medium(name, case))
    spans = [(span.start_s, span.end_s) for span in heard.missing]

    np.testing.assert_allclose(spans, CASES[case][1], atol=0.05)
    for span in heard.missing:
        assert not heard.cut(span).samples.any()
    assert np.abs(without_gaps(heard).samples).max() > 0.1


@pytest.mark.parametrize("case", ["late", "gap", "both"])
@pytest.mark.parametrize("name", ["webm", "mkv of flac", "mkv of pcm"])
def test_the_sound_is_that_of_the_file_without_gaps(name: str, case: str) -> None:
    whole = decode(medium(name, "none"))

    np.testing.assert_array_equal(without_gaps(decode(medium(name, case))).samples, whole.samples)


@pytest.mark.parametrize("name", FORMATS)
def test_whole_files_have_no_gap(name: str) -> None:
    """Priming of AAC and Opus, timestamps in milliseconds, formats without any."""
    assert decode(encoded(name)).missing == ()


def test_an_edit_list_moves_the_sound() -> None:
    data = medium("mp4", "late")

    assert b"elst" in data
    (missing,) = decode(data).missing
    assert missing.start_s == 0.0
    assert missing.end_s == pytest.approx(3.0, abs=0.03)  # 1,024 samples of priming before it


def test_fragments_keep_the_times_of_their_samples() -> None:
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    data = remuxed(encoded("m4a"), "mp4", GAP, pictures=150, **options)

    (missing,) = decode(data).missing
    assert (missing.start_s, missing.end_s) == pytest.approx((2.0, 7.0), abs=0.05)


@pytest.mark.parametrize("name", ["webm", "webm without a length", "mkv of flac", "mp4"])
def test_a_recorder_that_counts_on_begins_at_zero(name: str) -> None:
    """Every stream begins 5,000 s after zero, which is cut."""
    container, codec, _, options = MEDIA[name]
    data = remuxed(encoded(codec), container, lambda at_s: 5_000.0 + GAP(at_s), **options)

    (missing,) = decode(data, limits=Limits(max_duration_s=60.0)).missing
    assert (missing.start_s, missing.end_s) == pytest.approx((2.0, 7.0), abs=0.05)


def test_an_ogg_file_begins_with_its_first_page() -> None:
    data = remuxed(encoded("opus"), "ogg", lambda at_s: 0.86 + GAP(at_s))

    (missing,) = decode(data).missing
    assert (missing.start_s, missing.end_s) == pytest.approx((2.0, 7.0), abs=0.05)


def test_flac_in_ogg_has_no_gap_behind_its_first_page() -> None:
    """A stream that was joined late: FFmpeg puts its first page at zero, the rest at an hour."""
    heard = decode(remuxed(encoded("flac"), "ogg", lambda _at_s: 3_600.0))

    assert heard.missing == ()
    assert heard.duration_s == pytest.approx(8.42, abs=0.01)


def test_many_small_gaps_do_not_add_up() -> None:
    """Each is too small to be one; after eight of them sound would lie half a second early."""
    data = remuxed(encoded("flac"), "matroska", lambda at_s: 0.06 * int(at_s))
    heard = decode(data)

    assert heard.duration_s == pytest.approx(8.42 + 0.48, abs=GAP_TOLERANCE_S)
    assert len(heard.missing) == 4


def test_packets_that_were_not_sent_in_a_pause_keep_their_time() -> None:
    """Calls send a packet of comfort noise every 400 ms in pauses."""
    pause = lambda at_s: None if 2.0 <= at_s < 6.0 and round(at_s / 0.02) % 20 else 0.0  # noqa: E731
    heard = decode(remuxed(encoded("webm"), "webm", pause))

    assert heard.duration_s == pytest.approx(8.42, abs=0.05)
    assert sum(span.duration_s for span in heard.missing) == pytest.approx(3.8, abs=0.1)


def test_a_transport_stream_begins_with_its_earliest_stream() -> None:
    data = remuxed(encoded("aac"), "mpegts", lambda at_s: 10.0 + GAP(at_s), pictures=0)
    limits = Limits(containers=(*CONTAINERS, "mpegts"))

    (missing,) = decode(data, limits=limits).missing
    assert (missing.start_s, missing.end_s) == pytest.approx((2.0, 7.0), abs=0.05)


@pytest.mark.parametrize("name", ["webm", "webm without a length", "mkv of flac", "mp4"])
def test_a_leap_of_a_day_is_not_believed(name: str) -> None:
    container, codec, _, options = MEDIA[name]
    leap = lambda at_s: 0.0 if at_s < 4.0 else 26 * 3600.0  # noqa: E731
    data = remuxed(encoded(codec), container, leap, **options)
    heard = decode(data, limits=Limits(max_duration_s=600.0))

    assert heard.missing == ()
    assert heard.duration_s == pytest.approx(8.42, abs=0.1)


def test_gaps_that_would_make_usable_sound_too_long_do_not_count() -> None:
    data = medium("webm without a length", "both")
    assert decode(data, limits=Limits(max_duration_s=17.0)).duration_s > 16.0

    heard = decode(data, limits=Limits(max_duration_s=12.0))

    assert heard.missing == ()
    np.testing.assert_array_equal(heard.samples, decode(medium("webm", "none")).samples)
    with raises_code("audio_too_long"):
        decode(data, limits=Limits(max_duration_s=8.0))


def test_every_way_of_decoding_gives_the_same() -> None:
    data = medium("webm", "both")
    heard = decode(data)
    with DecoderPool(1) as decoders:
        others = [decoders(data, limits=Limits()), decode_of_any_length(data)]
    for other in (*others, *decode_channels(medium("webm", "both"))):
        assert other.missing == heard.missing
        assert len(other.samples) == len(heard.samples)
    np.testing.assert_array_equal(others[0].samples, heard.samples)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["webm", "webm without a length", "webm with pictures"])
def test_live_sound_has_the_gaps_of_the_file(name: str, case: str) -> None:
    data = medium(name, case)
    stream = io.BytesIO(data)
    blocks = list(decode_live(lambda size: stream.read(min(size, 700)), Limits()))
    heard = decode(data)
    gaps = [block for block in blocks if isinstance(block, Gap)]
    parts = [
        next(iter(block.silence(1)))[0] if isinstance(block, Gap) else block.mean(0, np.float32)
        for block in blocks
    ]

    assert spans_of(gaps) == heard.missing
    np.testing.assert_allclose(np.clip(np.concatenate(parts), -1.0, 1.0), heard.samples, atol=1e-6)


SPANS = st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 9_000)), max_size=6)


def with_spans(lengths: list[tuple[int, int]], rest: int) -> Waveform:
    """Noise in which spans of any length are missing."""
    parts, missing, at = list[Samples](), list[Span](), 0
    for sound, gap in lengths:
        parts += [noise(sound / RATE_HZ), np.zeros(gap, np.float32)]
        at += sound
        missing.append(Span(at / RATE_HZ, (at + gap) / RATE_HZ))
        at += gap
    return Waveform(np.concatenate([*parts, noise(rest / RATE_HZ)]), missing=tuple(missing))


@given(SPANS, st.integers(400, 9_000))
def test_frames_of_the_sound_are_frames_of_the_medium(
    lengths: list[tuple[int, int]], rest: int
) -> None:
    waveform = with_spans(lengths, rest)
    gaps, sound = gaps_of(waveform), without_gaps(waveform)
    total = frame_count(len(sound.samples))
    axis = Axis(gaps)
    missing = axis.missing(total)

    assert len(missing) == frame_count(len(waveform.samples))
    assert np.count_nonzero(~missing) == total
    assert len(sound.samples) + sum(gap.samples for gap in gaps) == len(waveform.samples)
    rows = np.flatnonzero(~missing)
    removed = [gap.samples for gap in gaps]
    for row in range(total):
        before = sum(n for n, gap in zip(removed, gaps, strict=True) if gap.at <= row * HOP)
        assert rows[row] * HOP == row * HOP + before, "to the sample, so much later"


@given(SPANS, st.integers(400, 9_000), st.integers(1, 40))
def test_frames_are_laid_out_alike_in_any_portions(
    lengths: list[tuple[int, int]], rest: int, size: int
) -> None:
    waveform = with_spans(lengths, rest)
    axis, total = Axis(gaps_of(waveform)), frame_count(len(without_gaps(waveform).samples))
    mask: list[bool] = []
    for first in range(0, total, size):
        for at, count, is_gap in axis.stretches(first, min(first + size, total)):
            assert at == len(mask)
            mask += [is_gap] * count

    np.testing.assert_array_equal(mask, axis.missing(total)[: len(mask)])
    assert axis.missing(total)[len(mask) :].all()


@given(SPANS, st.integers(400, 9_000), st.integers(1, 5_000))
@settings(max_examples=50)
def test_pieces_and_gaps_make_the_waveform_again(
    lengths: list[tuple[int, int]], rest: int, size: int
) -> None:
    waveform = with_spans(lengths, rest)
    gaps, sound = gaps_of(waveform), without_gaps(waveform).samples
    blocks = (sound[None, at : at + size] for at in range(0, len(sound), size))
    for pieces in (
        in_pieces(waveform),
        (part if isinstance(part, Gap) else part[0] for part in interleaved(blocks, gaps)),
    ):
        parts = [
            np.zeros(piece.samples, np.float32) if isinstance(piece, Gap) else piece
            for piece in pieces
        ]
        np.testing.assert_array_equal(np.concatenate(parts), waveform.samples)
