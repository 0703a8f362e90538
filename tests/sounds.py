"""Sounds for the tests: one sentence in every format, and every bad input that has a code."""

from __future__ import annotations

import io
import json
import struct
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soxr

SAMPLES = Path(__file__).parent / "assets" / "samples"
"""Synthesized speech, CC0: what the tests recognize. The page shows samples of real speech."""

FORMATS = {
    # container, codec, rate in Hz, channels, options of the encoder
    "wav": ("wav", "pcm_s16le", 44_100, 2, {}),
    "wav24": ("wav", "pcm_s24le", 48_000, 1, {}),
    "wavfloat": ("wav", "pcm_f32le", 22_050, 1, {}),
    "mp3": ("mp3", "libmp3lame", 44_100, 2, {"b": "128k"}),
    "m4a": ("ipod", "aac", 48_000, 1, {"b": "96k"}),
    "flac": ("flac", "flac", 32_000, 1, {}),
    "ogg": ("ogg", "vorbis", 44_100, 2, {"strict": "experimental"}),
    "opus": ("ogg", "libopus", 48_000, 1, {"b": "48k"}),
    "webm": ("webm", "libopus", 48_000, 2, {"b": "64k"}),
    "aac": ("adts", "aac", 44_100, 1, {"b": "96k"}),
    "amr": ("amr", "libopencore_amrnb", 8_000, 1, {"b": "12200"}),
}


def sample(name: str) -> np.ndarray:
    """Samples of one of the built-in recordings, float32 at 16 kHz."""
    with wave.open(str(SAMPLES / name)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return (data / 32_768.0).astype(np.float32)


def sample_names() -> list[str]:
    return [entry["file"] for entry in json.loads((SAMPLES / "samples.json").read_text("utf-8"))]


def encode(samples: np.ndarray, name: str) -> bytes:
    """Encode 16 kHz mono samples into one of ``FORMATS`` with FFmpeg's encoders."""
    container, codec, rate_hz, channels, options = FORMATS[name]
    mono = soxr.resample(samples, 16_000, rate_hz, quality="VHQ")
    frame = frame_of(mono, rate_hz, channels)
    return encode_frame(frame, container, codec, options)


def frame_of(samples: np.ndarray, rate_hz: int, channels: int) -> av.AudioFrame:
    """Make a frame with the same sound, shape `(n,)`, on one channel or on two."""
    planes = np.repeat(samples[None], channels, axis=0).astype(np.float32)
    layout = "stereo" if channels == 2 else "mono"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", layout)
    frame.sample_rate = rate_hz
    return frame


def encode_frame(
    frame: av.AudioFrame,
    container: str,
    codec: str,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> bytes:
    """Encode a frame of any length, layout and rate into a file."""
    buffer = io.BytesIO()
    rate_hz, layout = frame.sample_rate, frame.layout.name
    frame.time_base, frame.pts = Fraction(1, rate_hz), 0
    with av.open(buffer, "w", format=container, options=container_options or {}) as out:
        stream = out.add_stream(codec, rate=rate_hz, layout=layout, options=options or {})
        fitting = av.AudioResampler(
            format=stream.codec_context.format,
            layout=layout,
            rate=rate_hz,
            frame_size=stream.codec_context.frame_size or 0,
        )
        for piece in [*fitting.resample(frame), *fitting.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return buffer.getvalue()


def remuxed(
    data: bytes,
    container: str,
    shift: Callable[[float], float | None],
    *,
    pictures: int = 0,
    **options: str,
) -> bytes:
    """Copy the packets of a file into another container, each at another time.

    Args:
        data: a file with one sound track.
        container: FFmpeg's name of the other.
        shift: seconds to add to the timestamp of a packet, by that timestamp; None drops it.
        pictures: so many pictures are added, ten a second from zero on.
        options: of the other container.
    """
    buffer = io.BytesIO()
    with av.open(io.BytesIO(data)) as whole, av.open(buffer, "w", container, options) as out:
        source = whole.streams.audio[0]
        target = out.add_stream_from_template(source)
        if pictures:
            codec = "libvpx" if container == "webm" else "mpeg4"
            film = out.add_stream(codec, rate=10, width=64, height=64, pix_fmt="yuv420p")
            for _ in range(pictures):
                black = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
                out.mux(film.encode(black))
            out.mux(film.encode(None))
        for packet in whole.demux(source):
            if packet.pts is None or packet.time_base is None:
                continue
            seconds = shift(float(packet.pts * packet.time_base))
            if seconds is None:
                continue
            packet.pts += round(seconds / packet.time_base)
            packet.dts = packet.pts
            packet.stream = target
            out.mux(packet)
    return buffer.getvalue()


def wav(samples: np.ndarray, rate_hz: int = 16_000) -> bytes:
    """A 16-bit WAV; ``samples`` of shape (n,) or (n, channels), full scale at 1."""
    data = np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype("<i2")
    return wav_header(data.nbytes, rate_hz, 1 if data.ndim == 1 else data.shape[1]) + data.tobytes()


def wav_header(data_bytes: int, rate_hz: int, channels: int) -> bytes:
    """A WAV header that says what it is told, true or not."""
    block = 2 * channels
    return b"".join(
        (
            b"RIFF",
            struct.pack("<I", min(36 + data_bytes, 0xFFFFFFFF)),
            b"WAVEfmt ",
            struct.pack(
                "<IHHIIHH",
                16,
                1,
                channels,
                rate_hz,
                min(rate_hz * block, 0xFFFFFFFF),
                block & 0xFFFF,
                16,
            ),
            b"data",
            struct.pack("<I", data_bytes),
        )
    )


def low_passed(samples: np.ndarray, hz: float) -> np.ndarray:
    """Four biquads in a row at 16 kHz: Butterworth, 48 dB per octave above ``hz``."""
    size = 2 * len(samples)
    z = np.exp(-1j * np.linspace(0, np.pi, size // 2 + 1))
    w = 2 * np.pi * hz / 16_000
    answer = np.ones(len(z), complex)
    for k in range(4):
        alpha = np.sin(w) * np.cos(np.pi * (2 * k + 1) / 16)  # sin w / 2Q
        top = (1 - np.cos(w)) / 2 * (1 + z) ** 2
        answer *= top / (1 + alpha - 2 * np.cos(w) * z + (1 - alpha) * z**2)
    return np.fft.irfft(np.fft.rfft(samples, size) * answer, size)[: len(samples)]


def noise(seconds: float, *, level: float = 0.1, rate_hz: int = 16_000) -> np.ndarray:
    generator = np.random.default_rng(7)
    return (level * generator.standard_normal(round(seconds * rate_hz))).astype(np.float32)


def three_hours() -> bytes:
    """Three hours of a steady level as FLAC, stored by FLAC as one number."""
    steady = np.full((1, 8_000 * 10), 1_000, np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flac") as out:
        stream = out.add_stream("flac", rate=8_000, layout="mono")
        for number in range(3 * 360):
            frame = av.AudioFrame.from_ndarray(steady, "s16", "mono")
            frame.sample_rate, frame.pts = 8_000, number * steady.shape[1]
            frame.time_base = Fraction(1, 8_000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return buffer.getvalue()


def _truncated_m4a() -> bytes:
    # The index (moov) stands at the end, so half a file is nothing.
    whole = encode(sample("happy_zh.wav"), "m4a")
    return whole[: len(whole) // 2]


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    # what: (how to make it, the code it must get)
    "empty": (lambda: b"", "audio_empty_file"),
    "text as mp3": (lambda: b"This is not music.\n" * 200, "audio_not_recognized"),
    "random bytes": (
        lambda: np.random.default_rng(1).bytes(20_000),
        "audio_not_recognized",
    ),
    "truncated m4a": (_truncated_m4a, "audio_damaged"),
    "zero samples": (lambda: wav(np.zeros(0)), "audio_no_samples"),
    "0.05 s": (lambda: wav(noise(0.05)), "audio_too_short"),
    "silence": (lambda: wav(np.zeros(32_000)), "audio_silent"),
    "65535 channels": (
        lambda: wav_header(131_070, 16_000, 65_535) + bytes(131_070),
        "audio_too_many_channels",
    ),
    "9 channels": (lambda: wav(np.tile(noise(1)[:, None], 9)), "audio_too_many_channels"),
    "1 Hz": (lambda: wav(noise(2), rate_hz=1), "audio_rate_out_of_range"),
    "m3u8 as mp3": (
        lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
        "audio_playlist",
    ),
    "ffconcat as mp3": (
        lambda: b"ffconcat version 1.0\nfile 'other.wav'\n",
        "audio_playlist",
    ),
    "sdp": (
        lambda: b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n",
        "audio_playlist",
    ),
    "html": (lambda: b"<!DOCTYPE html><html><body>404</body></html>", "audio_not_recognized"),
    "picture": (
        lambda: b"\x89PNG\r\n\x1a\n" + np.random.default_rng(2).bytes(5_000),
        "audio_not_recognized",
    ),
}
