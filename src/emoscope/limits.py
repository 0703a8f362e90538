"""Input limits: bytes, duration, channels and sample rate of one recording."""

from __future__ import annotations

from dataclasses import dataclass

CONTAINER_ENDINGS = {
    # The demuxers FFmpeg may choose from, by their own names. Playlists (hls, concat, dash, sdp)
    # are not among them: they would make FFmpeg open files and addresses that the sender names.
    "wav": ("wav", "wave", "bwf", "rf64"),
    "w64": ("w64",),
    "mp3": ("mp3",),
    "mov": ("mov", "qt"),
    "mp4": ("mp4", "m4v", "3gp", "3gpp", "3g2"),
    "m4a": ("m4a", "m4b", "m4r"),
    "aac": ("aac", "adts"),
    "flac": ("flac",),
    "ogg": ("ogg", "oga", "ogv", "ogx", "opus"),
    "matroska": ("mkv", "mka"),
    "webm": ("webm", "weba"),
    "amr": ("amr", "awb"),
    "aiff": ("aiff", "aif", "aifc"),
    "caf": ("caf",),
}
"""How the files of each accepted container are named: FFmpeg demuxer name, endings."""

ENDINGS = tuple(ending for endings in CONTAINER_ENDINGS.values() for ending in endings)
"""All of them."""

FORMAT_NAMES = ("WAV", "MP3", "M4A", "FLAC", "OGG", "Opus", "WebM", "AAC", "AMR")
"""The best known of them, as people write them."""

CONTAINERS = tuple(CONTAINER_ENDINGS)
"""Container formats a caller accepts, as FFmpeg demuxer names."""

CODECS = (
    # PCM comes in some thirty flavours and is named by its prefix.
    "pcm_",
    "adpcm_ms",
    "adpcm_ima_wav",
    "adpcm_ima_qt",
    # Of telephones and what records their calls; FFmpeg's own decoders, without further libraries.
    "gsm",
    "gsm_ms",
    "g722",
    "g723_1",
    "g726",
    "speex",
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
    padding_s: float = 0.0
    """Seconds by which sound may be longer than that: encoders pad the last packet."""
    min_duration_s: float = 0.1
    """Shorter sound holds no emotion to speak of: five frames."""
    max_channels: int = 8
    min_rate_hz: int = 2_000
    """A file that claims 1 Hz turns ten megabytes into weeks of sound."""
    max_rate_hz: int = 384_000
    containers: tuple[str, ...] = CONTAINERS
    codecs: tuple[str, ...] = CODECS

    @property
    def longest_s(self) -> float:
        """Seconds of sound that are still accepted."""
        return self.max_duration_s + self.padding_s

    @property
    def endings(self) -> frozenset[str]:
        """Endings of the files of these containers, such as ``.wav``, in lower case.

        For finding files in a folder only: what a file is, its content says.
        """
        return frozenset(
            f".{ending}"
            for container in self.containers
            for ending in CONTAINER_ENDINGS.get(container, ())
        )

    def accepts_codec(self, codec: str) -> bool:
        """Whether this FFmpeg codec name is on the list."""
        return any(
            codec.startswith(entry) if entry.endswith("_") else codec == entry
            for entry in self.codecs
        )


COMMAND_LINE = Limits()
"""4 h of sound of any size: the files are the user's own."""

PADDING_S = 1.0
"""For uploads: ten minutes of Opus are ten minutes and 6.5 ms."""
UPLOAD = Limits(max_bytes=10_000_000, max_duration_s=600.0, padding_s=PADDING_S)
"""10 MB and ten minutes: the files are anybody's."""
