"""Schemas proposed from files: types by all values, event types and properties, ids, notes."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.load.coerce import coerce
from headcount.load.guess import Guess
from headcount.load.infer import Proposal
from headcount.load.wall import EPOCH
from headcount.model import schema_toml
from headcount.model.errors import UserError
from headcount.model.schema import FieldType, Schema
from headcount.model.time_zone import time_zone
from support.loading import contents, put, write

UTC = time_zone("UTC")


def guessed(*batches: Any, sets: bool = True) -> str:
    """Return the type guessed of the batches of one column."""
    guess = Guess("f", UTC, sets=sets)
    for batch in batches:
        guess.observe(pa.array(batch) if isinstance(batch, list) and not _mixed(batch) else batch)
    return guess.field().type.value


def _mixed(values: list[Any]) -> bool:
    return len({type(value) for value in values} - {type(None)}) > 1


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["true", "no", "", None, "F"], "boolean"),
        (["0", "1", "1"], "number"),
        (["0", "1", "true"], "boolean"),
        (["1.5", "-2", "1e3", ""], "number"),
        (["01234", "56789"], "keyword"),  # postcodes
        (["+4930123", "+4940456"], "keyword"),  # telephones
        (["9007199254740993", "1"], "keyword"),  # identifiers
        (["1,234", "5"], "keyword"),
        (["2026-01-01", "2025-12-31"], "date"),
        (["2026-01-01", "2025-12-31T00:00:01Z"], "datetime"),
        (["2026-01-01T10:00:00+02:00"], "datetime"),
        (["03/04/2026"], "keyword"),
        (["1775230200", "1775230201"], "number"),
        (["a;b", "b;c", "c;a"], "keywords"),
        (["a;b", "b", "a"], "keywords"),
        (["Dear all; please note this", "No; never, as I said before"], "keyword"),
        (["NULL", "N/A", "5"], "keyword"),
        ([None, None], "keyword"),
        (["x" * 101], "text"),
        ([True, None], "boolean"),
        ([0, 1], "number"),
        ([2**60], "keyword"),
        ([1.5, float("nan")], "number"),
        ([Decimal("1.5")], "number"),
        ([dt.date(2026, 1, 1)], "date"),
        ([dt.datetime(2026, 1, 1)], "date"),  # noqa: DTZ001
        ([dt.datetime(2026, 1, 1, 1)], "datetime"),  # noqa: DTZ001
        ([["a", "b"], None], "keywords"),
        ([1, "a"], "keyword"),
        ([1, Decimal("1.5")], "number"),
        ([["a"], "b"], "keywords"),
    ],
)
def test_types(values: list[Any], kind: str) -> None:
    """Each column gets the narrowest type that all its values have."""
    assert guessed(values) == kind


def test_the_last_value_counts() -> None:
    """A value in the last batch that breaks a type takes it away."""
    numbers = [str(at) for at in range(5000)]
    assert guessed(numbers) == "number"
    assert guessed(numbers, ["12a"]) == "text"  # thousands of different values
    assert guessed(["1"] * 5000, ["12a"]) == "keyword"
    assert guessed(["2026-01-01"] * 2000 + ["2026-01-01T01:00:00Z"]) == "datetime"


def test_keyword_or_text() -> None:
    """Many different values, by their share, are text; few are a keyword."""
    assert guessed([f"city {at % 900}" for at in range(5000)]) == "keyword"
    assert guessed([f"{at}@x.org" for at in range(5000)]) == "text"
    assert guessed([f"city {at % 1500}" for at in range(50_000)]) == "keyword"


def test_the_value_that_spoils_a_type_is_told() -> None:
    """When most values are numbers or days, the note names one that is not, and why."""
    guess = Guess("spent", UTC)
    guess.observe(pa.array(["1", "2", "1,234.50"]))
    assert guess.field().type is FieldType.KEYWORD
    assert "no number because of `1,234.50`" in str(guess)
    assert "remove the comma" in str(guess)
    other = Guess("name", UTC)
    other.observe(pa.array(["Ann", "Bob", "7"]))
    assert "because of" not in str(other)


def test_a_property_is_no_set() -> None:
    """Properties hold one value: `;` stays text, and lists are an error."""
    assert guessed(["a;b", "b;a"], sets=False) == "keyword"
    with pytest.raises(UserError, match="holds lists"):
        guessed([["a"]], sets=False)


@pytest.mark.parametrize("values", [[{"a": 1}], [dt.time(1)], [b"\xff"], [[1.5]]])
def test_what_no_field_can_hold(values: list[Any]) -> None:
    """A column of objects, clock times or bytes is an error that names it."""
    with pytest.raises(UserError, match="`f` holds"):
        guessed(values)


texts = st.one_of(
    st.sampled_from(
        ["", "true", "0", "1", "1.5", "2026-01-01", "2026-01-01T00:00:00Z", "a;b", "x"]
    ),
    st.integers().map(str),
    st.dates().map(str),
    st.text(max_size=5),
)


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), texts), max_size=8), max_size=5))
def test_no_value_breaks_the_guessed_type(batches: list[list[str | None]]) -> None:
    """Whatever is guessed, every value that was seen can be stored as it."""
    guess = Guess("f", UTC)
    for batch in batches:
        guess.observe(pa.array(batch, pa.string()))
    for batch in batches:
        assert not coerce(pa.array(batch, pa.string()), guess.field(), UTC).refused


def test_a_workspace_from_files_alone(tmp_path: Path) -> None:
    """Without any schema, id column, fields, event types and properties are found and loaded."""
    contacts = (
        "customer_id,country,spent,vip,born,tags,status,label\n"
        "1,DE,1.5,yes,1990-01-01,a;b,active,x\n2,US,,no,,b,Pending,x;y\n3,DE,2,,,a,,\n"
    )
    events = (
        "customer_id,type,time,amount,note\n"
        "1,bought,2026-01-01T00:00:00Z,3,x\n2,viewed,2026-01-02T00:00:00Z,,\n"
        "2,Bought,2026-01-03T00:00:00Z,4.5,\n"
    )
    seen: list[Proposal] = []
    summary = put(tmp_path, contacts=contacts, events=events, infer=True, show=seen.append)
    assert (summary.contacts_new, summary.events_loaded, summary.refused) == (3, 3, 0)
    schema = seen[0].schema
    assert schema.id_column == "customer_id"
    assert {name: field.type.value for name, field in schema.fields.items()} == {
        "country": "keyword", "spent": "number", "vip": "boolean", "born": "date",
        "tags": "keywords",
    }  # fmt: skip
    assert {name: [(p.name, p.type.value) for p in event.properties]
            for name, event in schema.events.items()} == {
        "bought": [("amount", "number"), ("note", "keyword")], "viewed": [],
    }  # fmt: skip
    found = contents(tmp_path)
    assert found.contacts["1"]["tags"] == {"a", "b"}
    assert found.contacts["1"]["status"] == "Active"
    assert [p for *_, p in found.events["bought"]] == [
        {"amount": 3.0, "note": "x"},
        {"amount": 4.5},
    ]


def test_the_proposal_is_shown_before_anything_is_loaded(tmp_path: Path) -> None:
    """It prints as TOML that parses to it, with a comment for each thing; raising stops."""

    def stop(proposal: Proposal) -> None:
        text = str(proposal)
        assert schema_toml.parse(text) == proposal.schema
        assert "# field plan: keyword; 2 values, 2 different" in text
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(tmp_path, contacts="id,plan\na,Pro\nb,Free\n", infer=True, show=stop)
    assert not (tmp_path / "data/workspaces").exists()


def test_a_later_load_extends_the_schema(tmp_path: Path) -> None:
    """New columns and properties are added; what is declared stays as it is."""
    put(tmp_path, "[fields]\nplan = 'text'\n[events.e]\nalias = 'f'\n", contacts="id,plan\na,1\n")
    with pytest.raises(UserError, match="not in the schema"):
        put(tmp_path, contacts="id,plan,age\nb,2,30\n")
    events = "contact,type,time,x\na,F,2026-01-01,1\na,g,2026-01-01,\n"
    seen: list[Proposal] = []
    put(tmp_path, contacts="id,plan,age\nb,2,30\n", events=events, infer=True, show=seen.append)
    assert seen[0].schema.fields["plan"].type is FieldType.TEXT
    assert list(seen[0].added) == [
        "field age: number; 1 values, 1 different",
        "event g",
        "event e, property x: number; 1 values, 1 different",
    ]
    assert contents(tmp_path).contacts == {"a": {"plan": "1"}, "b": {"plan": "2", "age": 30.0}}


def test_json_files(tmp_path: Path) -> None:
    """Keys of NDJSON, and of a `properties` column, are columns."""
    rows = [{"id": 1, "n": 1}, {"id": 2, "n": 2.5, "tags": ["a"]}, {"id": 3, "on": True}]
    contacts = write(tmp_path, "c.ndjson", "\n".join(map(json.dumps, rows)))
    lines = [{"contact": 1, "type": "e", "time": 0, "properties": {"P": "x", "q": 1}},
             {"contact": 2, "type": "e", "time": 0, "properties": {"p": "y"}}]  # fmt: skip
    events = write(tmp_path, "e.ndjson", "\n".join(map(json.dumps, lines)))
    summary = put(tmp_path, contacts=contacts, events=events, infer=True)
    assert summary.refused == 0
    found = contents(tmp_path)
    assert found.contacts == {"1": {"n": 1.0}, "2": {"n": 2.5, "tags": {"a"}}, "3": {"on": True}}
    assert [p for *_, p in found.events["e"]] == [{"p": "x", "q": 1.0}, {"p": "y"}]


def test_values_that_will_be_refused_are_noted(tmp_path: Path) -> None:
    """A status outside the four is told before the load, with its values."""
    seen: list[Proposal] = []
    text = "id,status\na,active\nb,gone\nc,lost\nd,gone\n"
    summary = put(tmp_path, contacts=text, infer=True, show=seen.append)
    assert summary.contacts_refused == 3
    assert any("gone, lost" in line for line in seen[0].added)


@pytest.mark.parametrize(
    ("contacts", "message"),
    [
        ("name,user_id,member_id\na,1,2\n", "Name the id column in a schema file"),
        ("name\na\n", "no column `id`; the columns are `name`"),
        ("id,a`b\n1,2\n", "cannot be a name"),
        ("id,opted_out\n1,2\n", "is taken"),
    ],
)
def test_files_that_do_not_say_enough(tmp_path: Path, contacts: str, message: str) -> None:
    """What cannot be guessed is an error that says what to declare."""
    with pytest.raises(UserError, match=message):
        put(tmp_path, contacts=contacts, infer=True)


def test_too_many_event_types(tmp_path: Path) -> None:
    """A column that is no type is not made into thousands of event types."""
    path = tmp_path / "e.parquet"
    types = [f"t{at}" for at in range(2000)]
    pq.write_table(pa.table({"contact": types, "type": types, "time": np.arange(2000)}), path)
    with pytest.raises(UserError, match="is `type` the right column"):
        put(tmp_path, contacts="id\na\n", events=path, infer=True)


def test_an_empty_proposal_prints() -> None:
    """Nothing added is said so."""
    assert str(Proposal(Schema(), ())).startswith("# nothing was added")
    assert EPOCH.year == 1970
