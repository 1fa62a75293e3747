"""
Events files: who, what, when, and the properties of that type of event.

    contact,type,time,id,amount,category        one column a property
    contact,type,time,properties                or all of them as JSON

The rows of a batch are taken apart by type, since a property is of the type that its event type
declares: `amount` may be a number for one and a keyword for another. A value in a column that an
event's type has not declared is refused, not dropped; an empty cell is no value. Events may come in
any order, and before the contacts: those files are read first.

What is left waits, by block and type, for `assemble`, which drops repeated ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headcount.index.block import ARROW_TYPES
from headcount.load import coerce
from headcount.load.batch import Batch, Columns, Mask
from headcount.load.coerce import Coerced, Column
from headcount.load.json_lines import NotAnObject, by_key, parse_object
from headcount.load.members import Members
from headcount.load.rejects import Rejects
from headcount.load.sieve import Rows, Sieve, kept
from headcount.load.spill import Spill, spread
from headcount.model.errors import Reason, UserError
from headcount.model.schema import EventType, Field, FieldType, Schema, nearest
from headcount.model.time_zone import time_zone

KIND = "events"
TIME = Field("time", FieldType.DATETIME)
TYPE = Field("type", FieldType.KEYWORD)
PROPERTIES = "properties"
PREFIX = "property."  # of the columns that hold properties, here and in a block's tables

_REQUIRED = ("contact", "type", "time")
_FIXED = (*_REQUIRED, "id", PROPERTIES)


def columns(schema: Schema, *, open_ended: bool = False) -> Columns:
    """Return the columns that an events file may have under *schema*."""
    declared = {p.name.casefold(): p.name for e in schema.all_events.values() for p in e.properties}
    names = {folded: PREFIX + folded for folded in declared}
    names |= {name: name for name in _FIXED}
    names.setdefault(schema.id_column.casefold(), "contact")
    return Columns(KIND, names, _REQUIRED, [*_FIXED, *declared.values()], open_ended)


class EventFiles:
    """Takes the batches of events files, in any order."""

    def __init__(
        self, schema: Schema, members: Members, spill: Spill, rejects: Rejects, block_rows: int
    ) -> None:
        self._schema = schema
        self._zone = time_zone(schema.time_zone)
        self._members = members
        self._spill = spill
        self._rejects = rejects
        self._block_rows = block_rows
        self.taken = 0
        self.refused = 0

    def add(self, path: Path, batch: Batch) -> None:
        """Take the events of one batch."""
        for name in _REQUIRED:
            if name not in batch.columns:  # no JSON object of the batch has the key
                batch = batch.with_column(name, pa.nulls(batch.rows))
        sieve = Sieve(path, batch)
        contacts = sieve.read("contact", "contact", "a contact's id", coerce.contact_ids)
        ordinals = self._members.find(sieve, contacts, "contact")
        times = sieve.read("time", "time", "a time", self._reader(TIME))
        sieve.refuse_missing(times, "time", "the time is missing")
        ids = pa.nulls(batch.rows, pa.string())
        if "id" in batch.columns:
            ids = sieve.read("id", "id", "an id", coerce.event_ids)
        properties = properties_of(path, sieve, batch)
        found = [
            (event, rows, self._typed(sieve, event, rows, properties))
            for event, rows in self._by_type(sieve)
        ]
        self.refused += sieve.report(self._rejects)
        shared = {"time": times, "id": ids}
        for event, rows, values in found:
            good = np.flatnonzero(sieve.good[rows])
            picked = rows[good]
            columns = kept(shared.items(), picked, batch.rows)
            columns |= kept(values.items(), good, len(rows))
            who = self._members.made(contacts.take(pa.array(picked)), ordinals[picked])
            spread(self._spill, (KIND, event.name), who, columns, self._block_rows)
            self.taken += len(picked)

    def _by_type(self, sieve: Sieve) -> Iterator[tuple[EventType, Rows]]:
        """Yield each event type of the batch with its rows; refuse the rows of unknown ones."""
        types = sieve.read("type", "type", "an event type", self._reader(TYPE))
        sieve.refuse_missing(types, "type", "the event type is missing")
        encoded = types.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy()
        of_event: dict[EventType, list[int]] = {}
        for code, text in enumerate(encoded.dictionary.to_pylist()):
            event, reason, detail = self._event(text)
            if event is not None:
                of_event.setdefault(event, []).append(code)
                continue
            for row in np.flatnonzero(codes == code).tolist():
                sieve.refuse(row, "type", text, reason, detail)
        for event, its_codes in of_event.items():
            if len(its_codes) == 1:
                yield event, np.flatnonzero(codes == its_codes[0])
            else:
                yield event, np.flatnonzero(np.isin(codes, its_codes))

    def _event(self, text: str) -> tuple[EventType | None, str, str]:
        """Return the event type that *text* names, or why it names none, and what is near."""
        found = self._schema.event(text.strip())
        if text.strip().casefold() in map(str.casefold, self._schema.groups):
            names = ", ".join(event.name for event in found)
            return None, f"a group of event types; give one of them: {names}", ""
        if found:
            return found[0], "", ""
        near = nearest(text.strip(), self._schema.event_names())
        return None, "unknown event type", f"did you mean {' or '.join(near)}?" if near else ""

    def _typed(
        self, sieve: Sieve, event: EventType, rows: Rows, properties: Mapping[str, Column]
    ) -> dict[str, pa.Array]:
        """Return the properties that *event* declares, typed, for *rows* of the batch."""
        found = {}
        for folded, column in properties.items():
            part = part_of(column, rows)
            declared = event.property(folded)
            if declared is None:
                _refuse_values(sieve, part, rows, folded, event)
                continue
            wanted = f"a value of type {declared.type}"
            read = self._reader(declared)
            found[PREFIX + declared.name] = sieve.typed(part, declared.name, wanted, read, rows)
        return {
            PREFIX + p.name: found.get(PREFIX + p.name, pa.nulls(len(rows), ARROW_TYPES[p.type]))
            for p in event.properties
        }

    def _reader(self, field: Field) -> partial[Coerced]:
        return partial(coerce.coerce, field=field, zone=self._zone)


def part_of(column: Column, rows: Rows) -> Column:
    """Return *column* at *rows*."""
    if len(rows) == len(column):
        return column
    if isinstance(column, list):
        return [column[row] for row in rows.tolist()]
    return column.take(pa.array(rows))


def _refuse_values(sieve: Sieve, part: Column, rows: Rows, folded: str, event: EventType) -> None:
    """Refuse the *rows* that have a value for a property that *event* does not have."""
    given = has_value(part)
    if not given.any():
        return
    near = nearest(folded, [p.name for p in event.properties])
    for at in np.flatnonzero(given).tolist():
        value = part[at] if isinstance(part, list) else part[at].as_py()
        sieve.refuse(
            int(rows[at]),
            folded,
            value,
            f"event type {event.name} has no such property",
            f"did you mean {' or '.join(near)}?" if near else "",
        )


def has_value(part: Column) -> Mask:
    """Return which rows of *part* hold anything, as bool[n]."""
    if isinstance(part, list):
        return np.fromiter((value not in (None, "") for value in part), np.bool_, len(part))
    given = part.is_valid().to_numpy(zero_copy_only=False)
    if given.any() and pa.types.is_string(part.type):
        given &= pc.binary_length(part).fill_null(0).to_numpy() > 0
    return np.asarray(given, dtype=np.bool_)


def properties_of(path: Path, sieve: Sieve, batch: Batch) -> dict[str, Column]:
    """
    Return the columns of properties by name, from columns or from JSON.

    Names are folded, but for columns that are not in the schema (of an open-ended file), which keep
    their spelling.
    """
    found = {
        name.removeprefix(PREFIX): column
        for name, column in batch.columns.items()
        if name not in _FIXED
    }
    if PROPERTIES not in batch.columns:
        return found
    if found:
        raise UserError(
            Reason.INVALID_FILE,
            f"{path.name} has a column `{PROPERTIES}` and a column for `{next(iter(found))}`;"
            " give all properties in one way",
        )
    column = batch.columns[PROPERTIES]
    values = column if isinstance(column, list) else column.to_pylist()
    rows = [_object(sieve, row, value) for row, value in enumerate(values)]
    names = {key: key.casefold() for row in rows for key in row}
    if len(set(names.values())) < len(names):
        _refuse_two_spellings(sieve, rows)
    return by_key(rows, names)[0]


def _object(sieve: Sieve, row: int, value: object) -> Mapping[str, object]:
    """Return the JSON object of a `properties` cell, empty where there is none."""
    if value is None or value == "":
        return {}
    if isinstance(value, dict):
        return value
    try:
        if isinstance(value, str):
            return parse_object(value)
        reason = "expected a JSON object"
    except NotAnObject as error:
        reason = str(error)
    sieve.refuse(row, PROPERTIES, value, reason)
    return {}


def _refuse_two_spellings(sieve: Sieve, rows: list[Mapping[str, object]]) -> None:
    for at, row in enumerate(rows):
        if len({key.casefold() for key in row}) < len(row):
            sieve.refuse(at, PROPERTIES, dict(row), "one property in two spellings")
