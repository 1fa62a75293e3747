"""Columns of more than 2 GiB, of which a part is read: offsets that no 32 bits hold."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from headcount.index import strings
from headcount.load.coerce import Mismatch, coerce, contact_ids, event_ids
from headcount.load.guess import Guess
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field, FieldType
from support.far import far_lists, far_texts, huge_texts

ZONE = ZoneInfo("UTC")


TEXTS = ["5", "7.5", "2026-01-02", "", "a; b", "true"]


def outcome(column: pa.Array, kind: FieldType) -> str:
    """Return what is made of a column, or why nothing is."""
    try:
        found = coerce(column, Field("f", kind), ZONE)
        return f"{found.values.to_pylist()} {found.refused}"
    except Mismatch as error:
        return str(error)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in FieldType if kind is not FieldType.STAGE])
def test_texts_that_begin_behind_two_gibibytes_are_read(kind: FieldType, binary: bool) -> None:
    """As those are that do not, also a part of such a part."""
    far = far_texts(TEXTS, binary=binary)
    near = pa.array([text.encode() for text in TEXTS] if binary else TEXTS, far.type)
    for part in (slice(0, 6), slice(1, 2), slice(4, 5), slice(3, 3)):
        assert outcome(far[part], kind) == outcome(near[part], kind)


def test_ids_that_begin_behind_two_gibibytes_are_read() -> None:
    """Those of contacts and those of events."""
    for binary in (False, True):
        ids = far_texts(["c1", "c2", "c3"], binary=binary).slice(1)
        assert contact_ids(ids).values.to_pylist() == ["c2", "c3"]
        assert event_ids(ids).values.to_pylist() == ["c2", "c3"]


def test_lists_that_begin_behind_two_thousand_million_members_are_read() -> None:
    """Where each begins is 64 bits; what is in them is refused or read as anywhere else."""
    lists = far_lists([[True, False], [], [True]])
    near = pa.array([[True, False], [], [True]], pa.large_list(pa.bool_()))
    assert outcome(lists, FieldType.KEYWORDS) == outcome(near, FieldType.KEYWORDS)
    assert outcome(lists[1:], FieldType.KEYWORDS) == outcome(near[1:], FieldType.KEYWORDS)


def test_a_part_of_more_than_two_gibibytes_is_refused() -> None:
    """With its size, and what to do, before anything is copied."""
    with pytest.raises(UserError, match="fewer rows a batch") as refused:
        coerce(huge_texts(3), Field("f", FieldType.TEXT), ZONE)
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
    with pytest.raises(UserError, match=r"found 2,147,484,648"):
        strings.plain(huge_texts(1))


def test_types_are_guessed_from_such_columns() -> None:
    """As from any other."""
    guess = Guess("f", ZONE)
    guess.observe(far_texts(["5", "7.5"]))
    assert guess.field().type is FieldType.NUMBER
