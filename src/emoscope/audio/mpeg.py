"""Frame headers of MPEG audio, ADTS and AMR: frame durations and frame counts."""

from __future__ import annotations

from dataclasses import dataclass

_UNKNOWN = 0x7F00_0000
"""A count from here on was written by a program that did not know it."""
_ADTS_BYTES = 7
_AMR_BYTES = (
    # Of a frame by its type: narrow band, wide band.
    (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1),
    (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1),
)
_KBITS = {
    # (MPEG-1, layer): kbit/s by index
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def is_cut_frame(container: str, data: bytes, size_bytes: int) -> bool | None:
    """Whether a packet holds less than the frame that begins it; None where frames do not say.

    Args:
        container: FFmpeg's name of the container.
        data: the first bytes of the packet.
        size_bytes: how long it is.
    """
    if container == "mp3":
        frame = _mpeg_frame(data)
        return frame is not None and frame.size_bytes > size_bytes
    if container == "aac":
        is_frame = data[:1] == b"\xff" and len(data) >= _ADTS_BYTES
        return is_frame and (int.from_bytes(data[3:6], "big") >> 5) & 0x1FFF > size_bytes
    if container == "amr":
        # Of the five bits around the type of a frame one is set, unless the frame is no speech.
        is_frame = data[:1] != b"" and data[0] & 0x87 == 0x04
        return is_frame and size_bytes < min(sizes[data[0] >> 3] for sizes in _AMR_BYTES)
    return None


def counted_s(window: bytes) -> float | None:
    """Return the length that the first frame of an MP3 states (Xing, Info, VBRI), or None."""
    at = window.find(b"\xff")
    while at >= 0:
        frame = _mpeg_frame(window[at : at + 4])
        if frame is not None:
            for name_at, names, count_at in (
                (at + frame.info_at, (b"Xing", b"Info"), 8),
                (at + 36, (b"VBRI",), 14),
            ):
                info = window[name_at : name_at + 18]
                if info[:4] in names and (names[0] == b"VBRI" or (info[7:8] and info[7] & 1)):
                    frames = int.from_bytes(info[count_at : count_at + 4], "big")
                    known = 0 < frames < _UNKNOWN
                    return frames * frame.samples / frame.rate_hz if known else None
            if _mpeg_frame(window[at + frame.size_bytes : at + frame.size_bytes + 4]):
                return None  # sound already
        at = window.find(b"\xff", at + 1)
    return None


@dataclass(frozen=True, slots=True)
class _MpegFrame:
    """Header of one MPEG audio frame."""

    size_bytes: int
    samples: int
    rate_hz: int
    info_at: int
    """Where a Xing header stands, behind the side information."""


def _mpeg_frame(head: bytes) -> _MpegFrame | None:
    """Read the four bytes before a frame of MPEG sound; None where they are no such thing."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    index, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer > 3 or not 0 < index < 15 or rate > 2:
        return None
    first = version == 3
    mono = head[3] >> 6 == 3
    rate_hz, padding = _RATES_HZ[version][rate], head[2] >> 1 & 1
    bits_per_s = 1_000 * _KBITS[first, layer][index]
    if layer == 1:
        return _MpegFrame((12 * bits_per_s // rate_hz + padding) * 4, 384, rate_hz, 0)
    samples = 1_152 if first or layer == 2 else 576
    side = (17 if mono else 32) if first else (9 if mono else 17)
    size_bytes = samples // 8 * bits_per_s // rate_hz + padding
    return _MpegFrame(size_bytes, samples, rate_hz, 4 + side)
