"""Chosen columns: what is shown beside an id, stored or worked out, is the oracle's value."""

from __future__ import annotations

import dataclasses
import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from headcount.members import contacts
from headcount.model.errors import UserError
from headcount.query import tree
from headcount.query.chosen import chosen
from headcount.query.engine import Engine
from headcount.query.preview import preview
from support import oracle
from support.engines import context_at, view_of
from support.named import calculated_cases
from support.oracle_values import Query, SpokenInstant, Text
from support.shop import AS_OF, SHOP

CONTEXT = context_at(AS_OF, "Europe/Berlin")
CALCULATED = {
    "average": "spent / orders",
    "age": "today - born",
    "next_birthday": "anniversary(born)",
    "first_open": "first(opened)",
    "place": "coalesce(city, country)",
    "buys": "count(purchase)",
}


def engine() -> Engine:
    """Return an engine over the shop, with calculated fields of every kind."""
    schema = dataclasses.replace(SHOP.schema, calculated=CALCULATED)
    return Engine(view_of(dataclasses.replace(SHOP, schema=schema), 2))


def plain(value: object) -> object:
    """Return an oracle's value as it is shown."""
    if isinstance(value, SpokenInstant):
        return value.instant
    if isinstance(value, Text):
        return value.value
    return value


def test_calculated_fields_and_engagement_times_are_shown() -> None:
    """With stored fields, in the order that they were asked for, by their declared names."""
    names = ("AVERAGE", "spent", "last_OPEN", "age", "next_birthday", "place", "buys", "first_open")
    sample = {c.id: c.fields for c in preview(engine(), "everyone", CONTEXT, fields=names).sample}
    assert list(sample["ann"]) == [
        "average", "spent", "last_open", "age", "next_birthday", "place", "buys", "first_open",
    ]  # fmt: skip
    assert sample["ann"] == {
        "average": 120.5 / 3,
        "spent": 120.5,
        "last_open": dt.datetime(2026, 5, 8, 9, tzinfo=dt.UTC),
        "age": 13149.0,
        "next_birthday": dt.date(2026, 5, 9),
        "place": "Köln",
        "buys": 2.0,
        "first_open": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    }
    assert sample["cem"] == {"spent": 99.99, "place": "de", "buys": 0.0}
    assert "average" not in sample["bob"]  # no orders


def test_events_that_are_not_yet_are_not_shown() -> None:
    """A time is that of the query's instant."""
    then = context_at(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    (ann,) = preview(engine(), "id = ann", then, fields=("last_open",)).sample
    assert ann.fields == {"last_open": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}


@pytest.mark.parametrize("name", ["averag", "opened", "last_opn"])
def test_what_is_no_field_is_refused(name: str) -> None:
    """With the nearest names there are, worked out or stored."""
    with pytest.raises(UserError, match="there is no field") as refused:
        preview(engine(), "everyone", CONTEXT, fields=("spent", name))
    assert refused.value.field == "fields[1]"
    if name != "opened":
        assert refused.value.suggestions


def test_random_calculated_fields_have_the_oracles_values() -> None:
    """For each contact, in any order of rows."""
    seen = 0
    for case in calculated_cases(14, 60):
        asked = Engine(view_of(case.world, 16))
        context = context_at(case.as_of, case.zone)
        query = Query(case.world, case.as_of, ZoneInfo(case.zone))
        names = tuple(case.world.schema.calculated)
        people = {one.id: one for one in oracle.contacts_of(case.world)}
        columns = chosen(asked, names, context)
        for block in asked.view.blocks:
            rows = np.array(list(block.live), dtype=np.uint32)[::-1]
            for found in contacts.contacts(contacts.columns(block, rows, columns)):
                for name in names:
                    value = oracle.value(query, people[found.id], tree.Name(name, quoted=True))
                    assert found.fields.get(name) == plain(value), name
                    seen += value is not None
    assert seen > 100
