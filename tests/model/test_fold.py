"""The comparison form of strings, one by one and in arrays."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.model import fold
from headcount.model.schema import BUILTIN_FIELDS, Field, FieldType

ID = BUILTIN_FIELDS[0]
TRICKY = [
    "",
    "ß",
    "SS",
    "İ",
    "ı",
    "I",
    "é",
    "e\u0301",
    "É",
    "ﬁ",
    "K",
    "ſ",
    "Å",
    "\0a",
    "👩‍👧",
    "क्षि",
]
TEXT = st.one_of(st.sampled_from(TRICKY), st.text(max_size=8))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("E\u0301", "é"),
        ("İ", "i\u0307"),
        ("ΜΆΪΟΣ", "μάϊοσ"),
        ("\0A", "\0a"),
    ],
)
def test_keys_by_the_book(value: str, expected: str) -> None:
    """NFC, then full case folding; accents count."""
    assert fold.key(value) == expected


def test_settings() -> None:
    """Case counts if it is said to; accents are dropped if they are said to be folded."""
    assert fold.key("E\u0301", case_sensitive=True) == "É"
    assert fold.key("Émile", fold_accents=True) == "emile"
    assert fold.key("Émile", case_sensitive=True, fold_accents=True) == "Emile"
    assert fold.field_key("E\u0301", ID) == "E\u0301"
    assert fold.normal("E\u0301", fold_accents=False) == "É"


def literally(value: str, case_sensitive: bool, fold_accents: bool) -> str:
    value = unicodedata.normalize("NFC", value)
    if not case_sensitive:
        value = value.casefold()
    if fold_accents:
        decomposed = unicodedata.normalize("NFD", value)
        kept = [c for c in decomposed if unicodedata.category(c)[0] != "M"]
        value = unicodedata.normalize("NFC", "".join(kept))
    return value


@given(st.lists(st.one_of(st.none(), TEXT), max_size=10), st.booleans(), st.booleans())
@settings(deadline=None)
def test_arrays_fold_as_single_strings_do(
    values: list[str | None], case_sensitive: bool, fold_accents: bool
) -> None:
    """Nulls stay, slices are honoured, and the shortcut for ASCII changes nothing."""
    field = Field("f", FieldType.TEXT, case_sensitive, fold_accents)
    expected = [None if v is None else literally(v, case_sensitive, fold_accents) for v in values]
    assert fold.keys(pa.array(values, pa.string()), field).to_pylist() == expected
    assert fold.keys(pa.array(["Ä", *values], pa.string()).slice(1), field).to_pylist() == expected
    assert [v and fold.field_key(v, field) for v in values] == [
        v and e for v, e in zip(values, expected, strict=True)
    ]
    normal = fold.normals(pa.array(values, pa.string()), fold_accents).to_pylist()
    assert normal == [None if v is None else literally(v, True, fold_accents) for v in values]


def test_an_array_that_does_not_change_is_not_copied() -> None:
    """What is folded already, in any script, and ids come back as they are."""
    lower, mixed = pa.array(["a", None, "b"]), pa.array(["É", "e\u0301"])
    accents = pa.array(["josé", "ł", "b"])
    assert fold.keys(lower, Field("f", FieldType.TEXT)) is lower
    assert fold.keys(accents, Field("f", FieldType.TEXT)) is accents
    assert fold.keys(mixed, ID) is mixed
    sensitive = Field("f", FieldType.TEXT, case_sensitive=True)
    assert fold.keys(pa.array(["A"]), sensitive).to_pylist() == ["A"]
