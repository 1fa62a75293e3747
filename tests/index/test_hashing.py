"""The vectorised hashes against the scalar ones and published values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index import hashing

STRINGS = st.lists(st.text(max_size=12), max_size=40)


def test_fnv1a_has_the_published_values() -> None:
    """The empty string, "a" and "foobar" hash as in the reference test vectors."""
    assert hashing.fnv1a64_bytes(b"") == 0xCBF29CE484222325
    assert hashing.fnv1a64_bytes(b"a") == 0xAF63DC4C8601EC8C
    assert hashing.fnv1a64_bytes(b"foobar") == 0x85944171F73967E8


@given(STRINGS, st.integers(0, 5))
@settings(deadline=None)
def test_vectorised_fnv1a_is_the_scalar_one(values: list[str], skip: int) -> None:
    """Strings of any length and script, also in a slice of a larger array."""
    array = pa.array(values, pa.string()).slice(skip)
    expected = [hashing.fnv1a64_bytes(v.encode()) for v in values[skip:]]
    assert hashing.fnv1a64(array).tolist() == expected


def test_more_rows_than_a_chunk() -> None:
    """Chunks meet without a gap."""
    values = [f"user-{i}" * (i % 4) for i in range(70_000)]
    hashes = hashing.fnv1a64(pa.array(values))
    for row in (0, 1, 32_767, 32_768, 65_536, 69_999):
        assert int(hashes[row]) == hashing.fnv1a64_bytes(values[row].encode())


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_fmix64_is_the_scalar_definition(values: list[int]) -> None:
    """All arithmetic is modulo 2^64, and the argument is left alone."""

    def scalar(h: int) -> int:
        h ^= h >> 33
        h = h * 0xFF51AFD7ED558CCD % 2**64
        h ^= h >> 33
        h = h * 0xC4CEB9FE1A85EC53 % 2**64
        return h ^ h >> 33

    given_values = np.array(values, dtype=np.uint64)
    assert hashing.fmix64(given_values).tolist() == [scalar(v) for v in values]
    assert given_values.tolist() == values
