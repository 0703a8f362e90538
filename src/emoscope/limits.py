"""What a caller will accept, checked while reading and not after."""

from __future__ import annotations

from dataclasses import dataclass

CONTAINERS = (
    # The demuxers FFmpeg may choose from, by their own names. Playlists (hls, concat, dash, sdp)
    # are not among them: they would make FFmpeg open files and addresses that the sender names.
    "wav",
    "w64",
    "mp3",
    "mov",
    "mp4",
    "m4a",
    "aac",
    "flac",
    "ogg",
    "matroska",
    "webm",
    "amr",
    "aiff",
    "caf",
)
"""Container formats a caller accepts, as FFmpeg demuxer names."""

CODECS = (
    # PCM comes in some thirty flavours and is named by its prefix.
    "pcm_",
    "adpcm_ms",
    "adpcm_ima_wav",
    "mp3",
    "mp3float",
    "aac",
    "aac_latm",
    "alac",
    "flac",
    "vorbis",
    "opus",
    "libopus",
    "amrnb",
    "amrwb",
    "amr_nb",
    "amr_wb",
    "libopencore_amrnb",
    "libopencore_amrwb",
)
"""Audio codecs a caller accepts; an entry that ends in ``_`` is a prefix."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits for one recording. Crossing one is an error before the sound is decoded in full.

    They bound what a sender can make us read, decode and keep. They do not bound the time inside
    one call of a decoder: a server runs decoding in a process it can kill.
    """

    max_bytes: int | None = None
    """Size of the file; None for no limit."""
    max_duration_s: float = 4 * 3600.0
    """Seconds of sound."""
    min_duration_s: float = 0.1
    """Shorter sound holds no emotion to speak of: five frames."""
    max_channels: int = 8
    min_rate_hz: int = 2_000
    """A file that claims 1 Hz turns ten megabytes into weeks of sound."""
    max_rate_hz: int = 384_000
    containers: tuple[str, ...] = CONTAINERS
    codecs: tuple[str, ...] = CODECS

    def accepts_codec(self, codec: str) -> bool:
        """Whether this FFmpeg codec name is on the list."""
        return any(
            codec.startswith(entry) if entry.endswith("_") else codec == entry
            for entry in self.codecs
        )


COMMAND_LINE = Limits()
"""4 h of sound of any size: the files are the user's own."""

UPLOAD = Limits(max_bytes=10_000_000, max_duration_s=600.0)
"""10 MB and ten minutes: the files are anybody's."""
