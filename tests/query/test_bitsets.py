"""Bitsets: CRoaring and numpy do the same to words, and numpy is there where CRoaring is not."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pyroaring
import pytest
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.query import bitsets
from headcount.query.bitsets import Bits, Native, Places, Plain, agree


@pytest.mark.parametrize("size", [1, 2, 100, 1023, 1024, 1025, 4096, 1 << 14])
def test_both_do_the_same(size: int) -> None:
    """To any number of words, whole containers or not; the second operand stays as it was."""
    assert agree(Native(), Plain(), size)


def test_what_is_joined_and_counted() -> None:
    """Each operation by hand."""
    for kernels in (Native(), Plain()):
        for name, right in (
            ("unite", 0b0111), ("meet", 0b0001), ("take_off", 0b0010), ("differ", 0b0110),
            ("put", 0b0101),
        ):  # fmt: skip
            one, other = (Bits(np.full(1024, bits, dtype=np.uint64)) for bits in (0b0011, 0b0101))
            assert kernels.count_both(one, other) == 1024
            getattr(kernels, name)(one, other)
            assert (one.words == right).all(), name
            assert (other.words == 0b0101).all()
            assert kernels.count(one) == 1024 * right.bit_count()
    full = Bits(np.full(4096, ~np.uint64(0), dtype=np.uint64))
    assert Native().count(full) == Plain().count_both(full, full) == 4096 * 64


@pytest.mark.parametrize("size", [1, 63, 64, 65, 1000, 70_000, 1 << 20])
def test_rows_are_put_in_and_taken_out(size: int) -> None:
    """Rows that share a byte too, in any order, of any number of words and containers."""
    dice = np.random.default_rng(size)
    held = BitMap(np.flatnonzero(dice.random(size) < 0.4).tolist())
    rows = dice.permutation(size)[: size // 50 + 1].astype(np.uint32)
    some, places = BitMap(rows.tolist()), Places(rows)
    assert np.array_equal(np.sort(places.rows()), np.sort(rows))
    for kernels in (Native(), Plain()):
        found = Bits(bitmaps.to_words(held, size))
        assert kernels.count(found) == len(held)
        kernels.flip(found, places)
        assert np.array_equal(found.words, bitmaps.to_words(held ^ some, size))
        kernels.add(found, places)
        assert np.array_equal(found.words, bitmaps.to_words(held | some, size))
        kernels.flip(found, Places(np.concatenate([rows, rows])))  # twice is not at all
        assert kernels.count(found) == len(held | some)


class _Wrong(Native):
    def take_off(self, out: Bits, other: Bits) -> None:
        self.meet(out, other)


def test_numpy_is_there_where_croaring_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another version, without the functions, or with others of the same names."""
    known = pyroaring.__version__ in bitsets._KNOWN and sys.platform == "linux"
    assert isinstance(bitsets._best(), Native) == known
    with monkeypatch.context() as patch:
        patch.setattr(bitsets, "Native", _Wrong)
        assert not agree(_Wrong(), Plain(), 100)
        assert isinstance(bitsets._best(), Plain)
    with monkeypatch.context() as patch:
        patch.setattr(pyroaring, "__file__", ctypes.__file__)
        assert isinstance(bitsets._best(), Plain)
    with monkeypatch.context() as patch:
        patch.setattr(pyroaring, "__version__", "99.0.0")
        assert isinstance(bitsets._best(), Plain)
