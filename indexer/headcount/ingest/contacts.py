"""
Contacts that clients write, as one step of typed columns.

A record names some fields and leaves the rest alone, so a column has values for some of the rows
only: it is read as a column of those, and keeps their places. Records of one step may be of one
contact; what comes later counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headcount.ingest.records import ContactRecord
from headcount.ingest.screen import Rows, Screen
from headcount.ingest.values import column_of
from headcount.load import coerce
from headcount.load.coerce import Coerced, Column
from headcount.load.lists import MAX_LIST_BYTES
from headcount.model.changes import (
    NO_LABELS,
    NO_LISTS,
    ContactStep,
    FieldUpdate,
    ListUpdate,
    Places,
    Refusal,
    SetUpdate,
)
from headcount.model.errors import Reason
from headcount.model.schema import Field, FieldType, Schema

LABEL = Field("label", FieldType.KEYWORD)
LIST = Field("list", FieldType.KEYWORD)
TIME = Field("time", FieldType.DATETIME)

# Some of the rows, a row as often as it has values, and what is given for them.
Given: TypeAlias = tuple[Rows, Column]


@dataclass(frozen=True, slots=True)
class GivenLists:
    """What happens with lists: names, actions (uint8, 255 for none) and times, None for now."""

    rows: Rows
    names: Column
    actions: npt.NDArray[np.uint8]
    times: Column | None


NO_ACTION = 255


_ID, _ADDED, _REMOVED, _LISTS = map(attrgetter, ("id", "add_labels", "remove_labels", "lists"))


class ContactReader:
    """Turns the contacts of requests into steps, a step for each. Any thread may use it."""

    def __init__(self, schema: Schema, zone: ZoneInfo) -> None:
        self._schema = schema
        self._stored = {key: f for key, f in schema.all_fields.items() if f.name != "id"}
        self._read = _Readers(schema, zone)
        self._read_label = coerce.reader(LABEL, zone)
        self._read_list = coerce.reader(LIST, zone)
        self._read_time = coerce.reader(TIME, zone)

    def step(
        self, numbers: Places, records: Sequence[ContactRecord], now: int
    ) -> tuple[ContactStep | None, list[Refusal]]:
        """
        Return the good ones of *records* as one step, None when there is none; all of a kind.

        What happened with lists at no time of its own was *now*, in µs.
        """
        screen = Screen(numbers)
        ids = column_of(list(map(_ID, records)), FieldType.KEYWORD)
        fields = self._fields(screen, records)
        labels = _labels(records)
        lists = _lists(records)
        creates = records[0].creates
        return self.build(screen, numbers, now, ids, fields, labels, lists, creates=creates)

    def build(
        self,
        screen: Screen,
        numbers: Places,
        now: int,
        ids: Column,
        fields: Sequence[tuple[Field, Given]],
        labels: Sequence[tuple[str, bool, Given]],
        lists: GivenLists | None,
        *,
        creates: bool,
    ) -> tuple[ContactStep | None, list[Refusal]]:
        """
        Return one step of what *screen* lets through, None when it is nothing.

        *labels* are (name of the part in errors, whether they are put on, names); they are applied
        in that order.
        """
        typed_ids = screen.read(ids, "id", "a contact's id", coerce.contact_ids)
        typed: list[tuple[str, Rows, pa.Array]] = []
        for field, (rows, values) in fields:
            wanted, read = self._read[field.name]
            typed.append((field.name, rows, screen.read(values, field.name, wanted, read, rows)))
        puts: list[tuple[Rows, pa.StringArray, bool]] = []
        for part, add, given in labels:
            puts.append((given[0], self._names(screen, given, part), add))
        happened = None if lists is None else self._happened(screen, lists, now)
        good = screen.rows()
        if not len(good):
            return None, screen.refused()
        pick = _picker(screen.good, good)
        updates: dict[str, FieldUpdate] = {}
        for name, rows, values in typed:
            updates[name] = FieldUpdate(*pick(rows, values))
        step = ContactStep(
            numbers=numbers if len(good) == len(numbers) else numbers[good],
            ids=_taken(typed_ids, good),
            creates=creates,
            fields=updates,
            labels=_set_update(pick, puts) if puts else NO_LABELS,
            lists=NO_LISTS if happened is None else _list_update(pick, *happened),
        )
        return step, screen.refused()

    def _fields(
        self, screen: Screen, records: Sequence[ContactRecord]
    ) -> list[tuple[Field, Given]]:
        """Return each field that a record names, with the rows that do."""
        rows: dict[str, list[int]] = {}
        values: dict[str, list[object]] = {}
        for row, record in enumerate(records):
            for name, value in record.fields.items():
                if name not in rows:
                    rows[name], values[name] = [], []
                rows[name].append(row)
                values[name].append(value)
        spelled: dict[str, tuple[Field, list[str]]] = {}
        for name in rows:
            field = self._stored.get(name.casefold())
            if field is not None:
                spelled.setdefault(field.name, (field, []))[1].append(name)
            else:
                self._refuse_unknown(screen, name, rows[name])
        found: list[tuple[Field, Given]] = []
        for field, names in spelled.values():
            at = np.array(rows[names[0]], dtype=np.int64)
            given = values[names[0]]
            if len(names) > 1:
                at, given = _united(screen, field.name, names, rows, values)
            found.append((field, (at, column_of(given, field.type))))
        return found

    def _refuse_unknown(self, screen: Screen, name: str, rows: Sequence[int]) -> None:
        """Refuse the *rows* that name a field which is not stored."""
        message = _unknown_field(screen, self._schema, name)
        for row in rows:
            screen.refuse(row, name, Reason.UNKNOWN_NAME, message)

    def _names(self, screen: Screen, given: Given, part: str) -> pa.StringArray:
        """Return the names of labels, trimmed; records with an empty one are refused."""
        rows, values = given
        names = screen.read(values, part, "labels", self._read_label, rows)
        return _named(screen, names, rows, part, "a label has no name")

    def _happened(
        self, screen: Screen, given: GivenLists, now: int
    ) -> tuple[Rows, pa.StringArray, npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return what happened with lists, typed."""
        names = screen.read(given.names, "lists", "names of lists", self._read_list, given.rows)
        names = _named(screen, names, given.rows, "lists", "a list has no name")
        long = pc.greater(pc.binary_length(names), MAX_LIST_BYTES).fill_null(False)
        for at in np.flatnonzero(long.to_numpy(zero_copy_only=False)).tolist():
            message = f"a list's name has at most {MAX_LIST_BYTES} bytes"
            screen.refuse(int(given.rows[at]), "lists", Reason.INVALID_VALUE, message)
        for at in np.flatnonzero(given.actions == NO_ACTION).tolist():
            message = "expected one of join, leave, opt_out, opt_in"
            screen.refuse(int(given.rows[at]), "lists", Reason.INVALID_VALUE, message)
        times = np.full(len(given.rows), now, dtype=np.int64)
        if given.times is not None:
            found = screen.read(given.times, "lists", "a time", self._read_time, given.rows)
            times = found.cast(pa.int64()).fill_null(now).to_numpy(zero_copy_only=False)
        return given.rows, names, given.actions, times


class _Readers(dict[str, tuple[str, Callable[[Column], Coerced]]]):
    """By name: what the values of a field must be, in words, and what reads them."""

    def __init__(self, schema: Schema, zone: ZoneInfo) -> None:
        super().__init__()
        self._schema = schema
        self._zone = zone

    def __missing__(self, name: str) -> tuple[str, Callable[[Column], Coerced]]:
        field = self._schema.field(name)
        assert field is not None
        return self.setdefault(
            name, (f"a value of type {field.type}", coerce.reader(field, self._zone))
        )


def _unknown_field(screen: Screen, schema: Schema, name: str) -> str:
    """Return why *name* cannot be written."""
    if name.casefold() in ("id", schema.id_column.casefold()):
        return "the id of a contact cannot be changed; merge the contact into the other one"
    if name.casefold() in ("list", "opted_out"):
        return "lists are joined and left: give `lists`, with an action for each"
    near = screen.suggested(name, [f.name for f in schema.all_fields.values() if f.name != "id"])
    return f"there is no stored field of this name{near}"


def _united(
    screen: Screen,
    field: str,
    names: Sequence[str],
    rows: dict[str, list[int]],
    values: dict[str, list[object]],
) -> tuple[Rows, list[object]]:
    """Return the rows and values of a field that has several spellings; not two in one record."""
    pairs = sorted((row, order) for order, name in enumerate(names) for row in rows[name])
    by_row = [dict(zip(rows[name], values[name], strict=True)) for name in names]
    for (row, _), (after, _) in itertools.pairwise(pairs):
        if row == after:
            screen.refuse(row, field, Reason.INVALID_VALUE, "one field in two spellings")
    at = np.array([row for row, _ in pairs], dtype=np.int64)
    return at, [by_row[order][row] for row, order in pairs]


def _labels(records: Sequence[ContactRecord]) -> list[tuple[str, bool, Given]]:
    found = []
    for part, add, named in (("remove_labels", False, _REMOVED), ("add_labels", True, _ADDED)):
        counts = [*map(len, map(named, records))]
        if any(counts):
            names = [*itertools.chain.from_iterable(map(named, records))]
            rows = np.repeat(np.arange(len(records)), counts)
            found.append((part, add, (rows, column_of(names, FieldType.KEYWORD))))
    return found


def _lists(records: Sequence[ContactRecord]) -> GivenLists | None:
    counts = [*map(len, map(_LISTS, records))]
    if not any(counts):
        return None
    every = [each for record in records for each in record.lists]
    actions = [NO_ACTION if each.action is None else each.action for each in every]
    return GivenLists(
        rows=np.repeat(np.arange(len(records)), counts),
        names=column_of([each.list for each in every], FieldType.KEYWORD),
        actions=np.array(actions, dtype=np.uint8),
        times=column_of([each.time for each in every], FieldType.DATETIME),
    )


def _named(
    screen: Screen, names: pa.StringArray, rows: Rows, part: str, message: str
) -> pa.StringArray:
    """Return *names* trimmed, "" for null; refuse the records of empty ones that are still good."""
    names = pc.utf8_trim_whitespace(names.fill_null(""))
    empty = pc.equal(names, "").to_numpy(zero_copy_only=False) & screen.good[rows]
    for at in np.flatnonzero(empty).tolist():
        screen.refuse(int(rows[at]), part, Reason.INVALID_VALUE, message)
    return names


Pick = Callable[[Rows, pa.Array], tuple[Places, pa.Array]]


def _picker(good: npt.NDArray[np.bool_], kept: Rows) -> Pick:
    """Return what drops the values of refused rows and numbers the others as in the step."""
    if len(kept) == len(good):
        return lambda rows, values: (rows.astype(np.uint32), values)
    places = np.cumsum(good) - 1

    def pick(rows: Rows, values: pa.Array) -> tuple[Places, pa.Array]:
        mask = good[rows]
        return places[rows[mask]].astype(np.uint32), values.filter(pa.array(mask))

    return pick


def _set_update(pick: Pick, puts: Sequence[tuple[Rows, pa.StringArray, bool]]) -> SetUpdate:
    """Return labels taken off and put on, in the order of the contacts."""
    picked = [(*pick(rows, names), add) for rows, names, add in puts]
    at = np.concatenate([at for at, _, _ in picked])
    adds = np.repeat([add for _, _, add in picked], [len(at) for at, _, _ in picked])
    names = pa.concat_arrays([names for _, names, _ in picked])
    if len(picked) == 1:
        return SetUpdate(at, names, adds)
    order = np.argsort(at, kind="stable")
    return SetUpdate(at[order], names.take(pa.array(order)), adds[order])


def _list_update(
    pick: Pick,
    rows: Rows,
    names: pa.StringArray,
    actions: npt.NDArray[np.uint8],
    times: npt.NDArray[np.int64],
) -> ListUpdate:
    at, kept = pick(rows, pa.array(np.arange(len(rows))))
    index = kept.to_numpy()
    return ListUpdate(at, names.take(kept), actions[index], times[index])


def _taken(values: pa.Array, rows: Rows) -> pa.Array:
    return values if len(rows) == len(values) else values.take(pa.array(rows))
