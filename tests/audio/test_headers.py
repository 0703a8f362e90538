"""Headers of any bytes: read within bounds, whatever they state."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emoscope.audio.codec_tags import codec_tag
from emoscope.audio.headers import read_header
from emoscope.audio.mpeg import is_cut_frame
from mutants import mutants, seeds
from sounds import encode_frame, frame_of, noise, wav

MAGIC = [b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"caff", b"riff", b"OggS", b"fLaC", b"ID3"]


class Counting(io.BytesIO):
    """Counts what is read."""

    reads = 0
    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0, "everything at once"
        self.reads += 1
        self.asked += size
        return super().read(size)


def read(data: bytes) -> None:
    reader = Counting(data)
    header = read_header(reader, len(data))
    assert header.present_bytes <= len(data)
    assert header.missing_bytes >= 0
    assert header.length_s is None or header.length_s > 0
    assert reader.reads < 3_000
    assert reader.asked < 3_000_000

    for track in (0, 1):
        tag = codec_tag(Counting(data), len(data), track)
        assert tag is None or (tag.isprintable() and 0 < len(tag) <= 64)
    for container in ("mp3", "aac", "amr", "wav"):
        is_cut_frame(container, data[:16], len(data))


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x1a\x45\xdf\xa3", *MAGIC]))
@example(b"\xff" * 300, b"\x1a\x45\xdf\xa3")
@example(b"\0" * 300, b"FORM")
@example(b"\0\0\0\0ftyp" + b"\0\0\0\1moov" + b"\xff" * 8, b"")
def test_any_bytes(data: bytes, magic: bytes) -> None:
    read(magic + data)


@pytest.mark.parametrize("name", seeds(0.2))
def test_mutants_of_every_format(name: str) -> None:
    data = seeds(0.2)[name]
    for mutant in mutants(data, 150, np.random.default_rng(4)):
        read(mutant)


def test_chunks_of_nothing_end() -> None:
    read(b"RIFF\0\0\0\0WAVE" + b"LIST\0\0\0\0" * 100_000)
    read(b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 100_000)
    read(b"\0\0\0\x08free" * 100_000)
    read((b"ID3\x03\0\0\0\0\0\0") * 10_000)


def test_a_file_of_tracks_in_tracks_ends() -> None:
    """Every box of a level is full of boxes: the bound holds for all levels together."""
    track = b"\0\0\0\x08free" * 300
    track = (8 + len(track)).to_bytes(4, "big") + b"trak" + track
    moov = track * 300
    data = b"\0\0\0\x08ftyp" + (8 + len(moov)).to_bytes(4, "big") + b"moov" + moov
    reader = Counting(data)

    assert codec_tag(reader, len(data), 0) is None
    assert reader.reads < 200_000


@pytest.mark.parametrize(
    ("container", "codec"), [("wav", "pcm_s16le"), ("w64", "pcm_s16le"), ("caf", "pcm_s16be")]
)
def test_the_bytes_of_sound_are_found(container: str, codec: str) -> None:
    data = encode_frame(frame_of(noise(1.0), 16_000, 1), container, codec)

    whole = read_header(io.BytesIO(data), len(data))
    cut = read_header(io.BytesIO(data[:-10_000]), len(data) - 10_000)

    assert whole.missing_bytes == 0
    assert 32_000 <= whole.present_bytes <= 32_004
    assert cut.present_bytes + cut.missing_bytes == whole.present_bytes
    assert cut.missing_bytes == pytest.approx(10_000, abs=4)


def test_chunks_before_the_sound_are_passed_over() -> None:
    data = wav(noise(1.0))
    listed = data[:12] + b"LIST" + (100_001).to_bytes(4, "little") + bytes(100_002) + data[12:]

    assert read_header(io.BytesIO(listed), len(listed)).present_bytes == 32_000
