"""Ids: row to id and back, exactly."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.index import hashing
from headcount.index.ids import IdColumn, integers_of
from headcount.index.parts import Parts

texts = st.lists(st.text(max_size=12), unique=True, max_size=60)


def column(ids: list[str]) -> IdColumn:
    """Return a column of *ids*."""
    return IdColumn.build(pa.array(ids, pa.string()))


@given(texts, texts)
def test_lookup_is_a_dict(ids: list[str], asked: list[str]) -> None:
    """Looking ids up gives what a dict of them gives, -1 for those that are not there; "" never."""
    rows = {contact: row for row, contact in enumerate(ids) if contact}
    wanted = [*ids, *asked]
    found = column(ids).lookup(pa.array(wanted, pa.string()))
    assert found.tolist() == [rows.get(contact, -1) for contact in wanted]


def test_rows_of_nobody_are_not_found() -> None:
    """The id of a row that is nobody's any more may be there often, and leads nowhere."""
    held = column(["", "a", "", "b", ""])
    assert held.lookup(pa.array(["", "b", None, "a"])).tolist() == [-1, 3, -1, 1]
    assert list(held.check()) == []


@given(texts)
def test_stored_and_read_again(ids: list[str]) -> None:
    """A column read from its parts has the same ids, in a slice as well."""
    sliced = IdColumn.build(pa.array(["before", *ids], pa.string()).slice(1))
    again = IdColumn.from_parts(Parts(list(sliced.parts("ids/"))), "ids/", len(sliced.array))
    assert again.array.to_pylist() == ids
    assert list(again.check()) == []


def test_ids_that_share_a_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """When every id has one hash, each still leads to its own row and strangers to none."""
    monkeypatch.setattr(hashing, "fnv1a64", lambda values: np.full(len(values), 7, dtype=np.uint64))
    ids = column([f"contact-{i}" for i in range(50)])
    assert ids.lookup(ids.array).tolist() == list(range(50))
    assert ids.lookup(pa.array(["stranger", None])).tolist() == [-1, -1]
    assert set(ids.equal(["contact-3", "contact-49", "x"])) == {3, 49}


def test_case_and_normal_form_count() -> None:
    """Ids are compared byte by byte: case and Unicode form make another id."""
    ids = column(["Ana", "é"])
    assert ids.lookup(pa.array(["ana", "e\u0301", "Ana"])).tolist() == [-1, -1, 0]


def test_an_id_twice_is_found_by_check() -> None:
    """A column in which one id stands twice does not pass its check."""
    assert list(IdColumn(pa.array(["a", "b", "a"])).check()) == [
        "1 ids do not lead back to their row; the first is row 2, whose id leads to row 0"
    ]


@given(
    st.lists(
        st.integers(0, 2**64 - 1).map(str)
        | st.sampled_from(["0042", "0x2a", "0x174876E800", "-1", "+1", "1.0", " 1", "", "a", "²"]),
        max_size=20,
    )
)
def test_integers_are_what_python_reads(ids: list[str]) -> None:
    """All ids as integers if each is spelt as Python would spell it, and none otherwise."""
    plain = all(one.isascii() and one.isdecimal() and one == str(int(one)) for one in ids)
    found = column(ids).integers
    assert (found is not None) == plain
    if found is not None:
        assert found.dtype == np.uint64
        assert found.tolist() == list(map(int, ids))


def test_some_integers_among_other_ids() -> None:
    """What a column as a whole is not, some of its rows may be."""
    held = column(["7", "a", "12"])
    assert held.integers is None
    some = integers_of(held.take(np.array([0, 2], dtype=np.uint32)))
    assert some is not None
    assert some.tolist() == [7, 12]
    assert column(["5"]).memory()["id lookup"] == 0
    counted = column(["5"])
    assert counted.integers is not None
    assert counted.memory()["id lookup"] == 8
