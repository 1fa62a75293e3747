"""A given schema upon a stored one: what grows, what is replaced, what is refused."""

from __future__ import annotations

import pytest

from headcount.load.evolve import evolved
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.model.schema_toml import parse

STORED = parse("""
labels = ["a"]
[fields]
Plan = { type = "keyword", case = "sensitive" }
age = "number"
stage = { type = "stage", values = ["Lead", "Customer"] }
[calculated]
old = "age + 1"
[events.Open]
alias = ["opened"]
properties = { link = "text" }
[events.gone]
[event_groups]
all = ["Open", "gone"]
""")


def test_what_data_hang_on_only_grows() -> None:
    """Fields, types, properties and values are united; the rest is as the given schema says."""
    found = evolved(STORED, parse("""
        id = "cid"
        time_zone = "Asia/Tokyo"
        labels = ["b"]
        [fields]
        plan = { type = "keyword", case = "sensitive" }
        new = "date"
        stage = { type = "stage", values = ["New", "Lead", "Customer"] }
        [events.open]
        alias = ["viewed"]
        properties = { campaign = "keyword" }
        [events.click]
        [event_groups]
        some = ["open", "click"]
        """))  # fmt: skip
    assert list(found.fields) == ["Plan", "new", "stage", "age"]
    assert found.fields["stage"].values == ("New", "Lead", "Customer")
    assert list(found.events) == ["Open", "click", "gone"]
    assert [p.name for p in found.events["Open"].properties] == ["campaign", "link"]
    assert found.events["Open"].aliases == ("viewed",)
    assert (found.id_column, found.time_zone) == ("cid", "Asia/Tokyo")
    assert found.labels == ("a", "b")
    assert (dict(found.groups), found.calculated) == ({"some": ("open", "click")}, {})


def test_the_same_schema_changes_nothing() -> None:
    """A schema upon itself is itself, and upon an empty one too."""
    assert evolved(STORED, STORED) == STORED
    assert evolved(Schema(), STORED) == STORED


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ('[fields]\nage = "keyword"', "field `age` is stored with type = number"),
        ('[fields]\nplan = "keyword"', "stored with case sensitive = True"),
        ('[fields]\nage = "number"\nstage = { type = "stage", values = ["Lead"] }',
         "stored with the value `Customer`"),
        ('[events.open]\nproperties = { link = "number" }', "property `link` of `open`"),
        ('[fields]\nplan = { type = "keyword", case = "sensitive", values = ["x"] }',
         "stored without a list of values"),
    ],
)  # fmt: skip
def test_a_change_of_type_is_refused(given: str, message: str) -> None:
    """Stored values have the old type, so another declaration is an error."""
    with pytest.raises(UserError) as caught:
        evolved(STORED, parse(given))
    assert caught.value.reason is Reason.INVALID_SCHEMA
    assert message in caught.value.message
