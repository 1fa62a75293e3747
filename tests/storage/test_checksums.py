"""Checksums of chunks and parts."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.model.errors import CorruptionError
from headcount.storage.checksums import chunk_count, chunk_sums, meta_sum, part_sum


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Yield a descriptor of a file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write anything into."""
    return tmp_path_factory.mktemp("checksums") / "file"


@given(st.binary(max_size=300), st.integers(1, 100))
def test_chunk_sums_are_those_of_the_slices(scratch: Path, data: bytes, chunk: int) -> None:
    """Whatever the sizes, with threads and without, each sum is the CRC-32 of its slice."""
    scratch.write_bytes(data)
    with opened(scratch) as descriptor:
        found = chunk_sums(scratch, descriptor, len(data), chunk)
    slices = [data[i : i + chunk] for i in range(0, len(data), chunk)]
    assert found == tuple(map(zlib.crc32, slices))
    assert chunk_count(len(data), chunk) == len(slices)


def test_a_file_that_ends_early_gives_the_sums_of_what_is_there(scratch: Path) -> None:
    """The missing bytes are not taken for zeros."""
    scratch.write_bytes(b"abcdef")
    with opened(scratch) as descriptor:
        found = chunk_sums(scratch, descriptor, 12, 4)
    assert found == (zlib.crc32(b"abcd"), zlib.crc32(b"ef"), zlib.crc32(b""))


@pytest.mark.parametrize("size", [10, 200])
def test_an_unreadable_place_is_named(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """An input/output error of the disk carries file and offset, from a thread too."""
    scratch.write_bytes(bytes(size))
    real = os.preadv

    def preadv(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        if offset == 8:
            raise OSError(5, "Input/output error")
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", preadv)
    with opened(scratch) as descriptor, pytest.raises(CorruptionError) as caught:
        chunk_sums(scratch, descriptor, size, 4)
    assert (caught.value.path, caught.value.offset) == (scratch, 8)
    assert "the disk failed" in str(caught.value)


def test_the_sum_of_a_part_covers_its_name_and_encoding() -> None:
    """Bytes under another name, or said to be of another encoding, do not match."""
    sums = {part_sum("ab", "c", b"x"), part_sum("a", "bc", b"x"), part_sum("ab", "d", b"x")}
    assert len(sums) == 3
    assert part_sum("n", "json", memoryview(b"{}")) == zlib.crc32(b"n\0json\0{}")
    assert meta_sum("epoch", "7") == zlib.crc32(b"epoch\x007")
