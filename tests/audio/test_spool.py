"""Spools keep long sound on the disk, with the same values."""

from __future__ import annotations

import errno
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.audio import decode as decode_module
from emoscope.audio import spool as spool_module
from emoscope.audio.decode import decode, decode_of_any_length
from emoscope.audio.spool import MEMORY_BYTES, Spool
from emoscope.waveform import Waveform, release_pages
from raising import raises_code
from sounds import noise, wav


@given(st.lists(st.integers(0, 50), max_size=8), st.sampled_from([0, 40, 400, float("inf")]))
def test_what_goes_in_comes_out(sizes: list[int], memory_bytes: float) -> None:
    rng = np.random.default_rng(1)
    blocks = [rng.standard_normal(size).astype(np.float32) for size in sizes]
    spool = Spool(memory_bytes)
    for block in blocks:
        spool.add(block)

    assert spool.count == sum(sizes)
    if spool.count or memory_bytes:
        np.testing.assert_array_equal(
            spool.take(), np.concatenate([np.zeros(0, np.float32), *blocks])
        )


def test_rows_of_vectors_keep_their_order_also_from_a_view() -> None:
    rows = np.arange(24, dtype=np.float32).reshape(6, 4)
    spool = Spool(0)
    spool.add(rows[:4:2])
    spool.add(rows[4:])

    np.testing.assert_array_equal(spool.take().reshape(-1, 4), rows[[0, 2, 4, 5]])


def test_sound_on_the_disk_can_be_walked_cut_and_forgotten() -> None:
    sound = noise(3.0)
    spool = Spool(1000)
    spool.add(sound)
    waveform = Waveform(spool.take())

    np.testing.assert_array_equal(np.concatenate(list(waveform.blocks(1_000))), sound)
    release_pages(waveform.samples[5:])
    np.testing.assert_array_equal(waveform.samples, sound)


def test_where_it_waits_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(noise(2.0), 44_100))
    in_memory = decode(path)
    monkeypatch.setattr(decode_module, "MEMORY_BYTES", 1_000)
    on_disk = decode_of_any_length(path)

    np.testing.assert_array_equal(on_disk.samples, in_memory.samples)
    assert on_disk.name == "a.wav"


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "store_full"), (errno.EACCES, "store_failed")]
)
def test_a_disk_that_refuses_is_told(
    number: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(spool_module.tempfile, "TemporaryFile", refuse)
    spool = Spool(100)
    with raises_code(code):
        spool.add(noise(1.0))


def test_memory_does_not_grow_with_the_sound(tmp_path: Path) -> None:
    """Memory is bounded: sixteen minutes take no more than four. The large one is a slow test."""
    peaks = []
    for minutes in (4, 16):
        path = tmp_path / f"{minutes}.wav"
        path.write_bytes(wav(np.tile(noise(60.0), minutes)))
        tracemalloc.start()
        try:
            waveform = decode_of_any_length(path)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert waveform.duration_s == 60 * minutes

    assert peaks[1] <= 1.2 * peaks[0]
    assert peaks[0] < 3 * MEMORY_BYTES
