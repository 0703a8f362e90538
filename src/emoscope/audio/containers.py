"""Opening of media containers within limits, and choice of the audio track."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emoscope.audio.codec_tags import AIFC_CODECS, codec_tag
from emoscope.audio.headers import Header, Readable
from emoscope.audio.truncation import LengthClaim, length_claim_of
from emoscope.errors import AudioError
from emoscope.limits import Limits

_PLAYLISTS = (
    b"#EXTM3U",
    b"ffconcat",
    b"[playlist]",
    b"v=0\n",
    b"v=0\r",
    b"<MPD",
    b"<smil",
    b"<asx",
)
_SIGNATURES = (
    # (offset, bytes): what a file of an accepted format begins with, to tell damaged from foreign.
    (0, b"RIFF"),
    (0, b"RIFX"),
    (0, b"RF64"),
    (0, b"BW64"),
    (0, b"riff"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"ID3"),
    (0, b"#!AMR"),
    (0, b"\x1a\x45\xdf\xa3"),
    (0, b"FORM"),
    (0, b"caff"),
    (4, b"ftyp"),
)
_AMR_DECODERS = {"amrnb": "libopencore_amrnb", "amrwb": "libopencore_amrwb"}
"""FFmpeg's own decoders of AMR refuse the frames of a pause (DTX), and so lose its time."""
_MISREAD = {("wav", "speex")}
"""Container and codec that FFmpeg decodes to other sound, without an error."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """Container, codec, sample rate and channels of a recording."""

    container: str
    codec: str
    rate_hz: int
    channels: int
    length: LengthClaim
    """What the file says of its length."""


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """The sound track of a medium that is decoded."""

    stream: Any
    """As PyAV opened it."""
    decoder: Any
    """PyAV's context of the codec."""
    number: int
    """Which of the sound tracks it is, from 1."""
    count: int
    """How many there are."""


class Arriving:
    """Input of PyAV without ``seek``, for sources that cannot be rewound."""

    def __init__(self, head: bytes, read: Callable[[int], bytes]) -> None:
        self._head, self._read = head, read

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes, none at the end."""
        head, self._head = self._head[:size], self._head[size:]
        return head or self._read(size)


def open_container(
    reader: Readable | Arriving, head: bytes, limits: Limits, *, is_open: bool = False
) -> Any:
    """Have FFmpeg open a medium.

    Args:
        reader: its bytes.
        head: the first of them.
        limits: which containers it may be.
        is_open: whether its header leaves the number of bytes of sound open.

    Raises:
        AudioError: it is nothing that can be opened.
    """
    import av

    if any(mark in head[:64] for mark in _PLAYLISTS) or b"<MPD" in head[:512]:
        raise AudioError("audio_playlist")
    options = {
        "format_whitelist": ",".join(limits.containers),
        "protocol_whitelist": "none",
        # FFmpeg looks through 2,500 packets of a plain stereo WAV for a surround stream in
        # disguise: 40 ms for a clip that decodes in 1 ms. A disguise shows in the first packets.
        "max_probe_packets": "2",
    }
    if is_open and head[:4] in (b"RF64", b"BW64"):
        options["ignore_length"] = "1"  # FFmpeg takes an open length for none, but in RIFF
    try:
        return av.open(reader, mode="r", options=options, metadata_errors="ignore")
    except Exception as exc:  # FFmpeg's errors, but also ValueError, MemoryError, AttributeError
        tag = codec_tag(io.BytesIO(head), len(head), 0) if head[:4] == b"FORM" else None
        if tag is not None and tag not in AIFC_CODECS:
            raise AudioError("audio_codec_refused", codec=tag) from exc
        known = any(head[at : at + len(mark)] == mark for at, mark in _SIGNATURES)
        raise AudioError("audio_damaged" if known else "audio_not_recognized") from exc


def track_of(container: Any, limits: Limits) -> SoundTrack | None:
    """Choose the sound track that a player would play, among those that can be decoded.

    Args:
        container: as PyAV opened it.
        limits: which codecs are accepted.

    Returns:
        The default one of those whose codec is accepted, or the first of these; where none is
        accepted, of all that FFmpeg can decode; None where there is none.

    Raises:
        AudioError: there is no sound track.
    """
    streams = container.streams.audio
    if not streams:
        raise AudioError("audio_no_stream")

    def rank(stream: Any) -> tuple[bool, bool]:
        accepted = _accepts(container, stream, limits)
        return accepted, bool(stream.disposition & type(stream.disposition).default)

    known = [stream for stream in streams if stream.codec_context is not None]
    if not known:
        return None
    chosen = max(known, key=rank)  # the first of equal ones
    return SoundTrack(chosen, _decoder(chosen), streams.index(chosen) + 1, len(streams))


def _accepts(container: Any, stream: Any, limits: Limits) -> bool:
    codec = stream.codec_context.name
    return limits.accepts_codec(codec) and (container.format.name, codec) not in _MISREAD


def _decoder(stream: Any) -> Any:
    """Return what decodes a stream: its own context, or that of a better decoder."""
    import av

    context = stream.codec_context
    better = _AMR_DECODERS.get(context.name)
    if better is None or better not in av.codecs_available:
        return context
    decoder: Any = av.CodecContext.create(better, "r")
    decoder.sample_rate, decoder.layout = context.sample_rate, "mono"
    return decoder


def unknown_codec(container: Any, reader: Readable, size_bytes: int) -> AudioError:
    """Return the error for sound that FFmpeg has no decoder for, by the container's own name.

    Args:
        container: as PyAV opened it.
        reader: its bytes; the position is lost.
        size_bytes: how many there are.
    """
    streams = container.streams.audio
    defaults = [bool(one.disposition & type(one.disposition).default) for one in streams]
    tag = codec_tag(reader, size_bytes, defaults.index(max(defaults)))
    if tag is None:
        return AudioError("audio_damaged")
    return AudioError("audio_codec_refused", codec=tag)


def checked(
    container: Any, track: SoundTrack, head: bytes, header: Header, size_bytes: int, limits: Limits
) -> Encoding:
    """Check codec, rate, channels and counted length before the first frame is decoded.

    Args:
        container: as PyAV opened it.
        track: its sound track.
        head: the first bytes of the file.
        header: what the file states about its sound.
        size_bytes: of the file; 0 where it is still arriving.
        limits: what to check against.

    Raises:
        AudioError: the limits do not allow it.
    """
    context = track.stream.codec_context
    if not _accepts(container, track.stream, limits):
        raise AudioError("audio_codec_refused", codec=context.name)
    # FFmpeg shows an absurd number of channels as none at all; a WAV header says it plainly.
    channels = int(context.channels) or int.from_bytes(head[22:24], "little") * (
        head[:4] == b"RIFF"
    )
    if not channels:
        raise AudioError("audio_damaged")
    rate_hz = int(context.sample_rate or 0)
    check_layout(rate_hz, channels, limits)
    length = length_claim_of(header, container, track.stream, size_bytes)
    if length.counted_s is not None and length.counted_s > limits.longest_s:
        raise AudioError("audio_too_long", max_duration_s=limits.max_duration_s)
    return Encoding(container.format.name, context.name, rate_hz, channels, length)


def check_layout(rate_hz: int, channels: int, limits: Limits) -> None:
    """Check the number of channels and their rate.

    Args:
        rate_hz: sample rate in Hz.
        channels: number of channels.
        limits: what to check against.

    Raises:
        AudioError: there are more than the limits allow.
        AudioError: the rate is outside the limits.
    """
    if channels > limits.max_channels:
        raise AudioError(
            "audio_too_many_channels", channels=channels, max_channels=limits.max_channels
        )
    if not limits.min_rate_hz <= rate_hz <= limits.max_rate_hz:
        raise AudioError(
            "audio_rate_out_of_range",
            rate_hz=rate_hz,
            min_rate_hz=limits.min_rate_hz,
            max_rate_hz=limits.max_rate_hz,
        )
