"""Bitsets: CRoaring and numpy do the same to words, and numpy is there where CRoaring is not."""

from __future__ import annotations

import ctypes

import numpy as np
import pyroaring
import pytest

from headcount.query import bitsets
from headcount.query.bitsets import Bits, Native, Plain, agree


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


class _Wrong(Native):
    def take_off(self, out: Bits, other: Bits) -> None:
        self.meet(out, other)


def test_numpy_is_there_where_croaring_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another version, without the functions, or with others of the same names."""
    assert isinstance(bitsets._best(), Native)
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
