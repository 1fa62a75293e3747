"""
A block: 2^20 consecutive contacts with everything known about them, immutable.

    Block
    ├── ids         row → contact id, and back
    ├── live        the rows that are contacts (the rest were deleted)
    ├── fields      one index a field: postings, ranges, text, flags
    ├── lists       which lists a contact is on; opted_out: which it asked to hear no more from
    └── events      one index an event type: the log, recency, tallies

The block is the unit of evaluation (a 2^20-bit operand is 128 KiB, so a whole expression stays in
the second-level cache), of publication and of storage. It refers to nothing outside itself:
dictionaries are its own, rows are numbered from 0. So a block can be rebuilt, checked, written or
moved to another machine alone. The price is one dictionary a block instead of one a workspace.

It is not where anything is computed about a query: see `headcount.query.evaluate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps, fields, parts
from headcount.index.arrow import ARROW_TYPES as ARROW_TYPES
from headcount.index.events import EventIndex
from headcount.index.fields import FieldIndex
from headcount.index.ids import IdColumn
from headcount.index.keywords import KeywordsIndex
from headcount.index.parts import Part, Parts
from headcount.model.schema import EventType, Field, FieldType, Schema

BLOCK_ROWS = 1 << 20  # 16 roaring containers of 2**16 rows

LISTS = Field("list", FieldType.KEYWORDS, builtin=True)
OPTED_OUT = Field("opted_out", FieldType.KEYWORDS, builtin=True)


def contact_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of contacts: `id`, each stored field, `list`, `opted_out`."""
    stored = [pa.field(f.name, ARROW_TYPES[f.type]) for f in schema.all_fields.values()]
    lists = [pa.field(f.name, ARROW_TYPES[f.type]) for f in (LISTS, OPTED_OUT)]
    return pa.schema(stored + lists)


def event_schema(event: EventType) -> pa.Schema:
    """Return the Arrow schema of a table of events of one type: `row`, `time`, `id`, properties."""
    return pa.schema(
        [
            pa.field("row", pa.uint32()),
            pa.field("time", ARROW_TYPES[FieldType.DATETIME]),
            pa.field("id", pa.string()),
            *(pa.field(f"property.{p.name}", ARROW_TYPES[p.type]) for p in event.properties),
        ]
    )


@dataclass(frozen=True)
class Block:
    """
    The contacts with ordinals `number * block_rows` onward.

    `fields` is keyed by the declared name of every stored field but `id`, `events` by the declared
    name of every event type. Nothing reachable from a block ever changes; bitmaps handed out by it
    must not be changed either.
    """

    number: int
    ids: IdColumn
    live: BitMap
    fields: Mapping[str, FieldIndex]
    lists: KeywordsIndex
    opted_out: KeywordsIndex
    events: Mapping[str, EventIndex]

    @property
    def rows(self) -> int:
        """Return how many rows there are, live or not."""
        return self.ids.rows

    @classmethod
    def build(
        cls, number: int, contacts: pa.Table, events: Mapping[str, pa.Table], schema: Schema
    ) -> Block:
        """
        Return a block of all live contacts from typed tables.

        *contacts* has the columns of `contact_schema` (an absent one is all missing); row i becomes
        row i. *events* maps the names of event types to tables of `event_schema`, in any order.
        Costs about a second per million rows and field, and half a second per million events.
        """
        rows = contacts.num_rows
        ids = IdColumn.build(_column(contacts, "id", rows, pa.string()))
        built = {
            field.name: fields.build(_field_column(contacts, field, rows), field)
            for field in schema.all_fields.values()
            if field.name != "id"
        }
        logs = {}
        for event in schema.all_events.values():
            table = events.get(event.name)
            if table is None:
                table = event_schema(event).empty_table()
            logs[event.name] = EventIndex.build(table, rows, event)
        return cls(
            number=number,
            ids=ids,
            live=bitmaps.full(rows),
            fields=built,
            lists=KeywordsIndex.build(_field_column(contacts, LISTS, rows), LISTS),
            opted_out=KeywordsIndex.build(_field_column(contacts, OPTED_OUT, rows), OPTED_OUT),
            events=logs,
        )

    def parts(self) -> Iterator[Part]:
        """Yield the block as named byte strings, one index at a time."""
        yield parts.document(
            "block", {"rows": self.rows, "fields": list(self.fields), "events": list(self.events)}
        )
        yield parts.bitmap("live", self.live)
        yield from self.ids.parts("ids/")
        for name, index in self.fields.items():
            yield from index.parts(f"field/{name}")
        yield from self.lists.parts("list")
        yield from self.opted_out.parts("opted_out")
        for name, log in self.events.items():
            yield from log.parts(f"event/{name}/")

    @classmethod
    def load(cls, number: int, stored: Parts, schema: Schema) -> Block:
        """
        Return the block that `parts` was called on, under a *schema* that may have grown since.

        A field or event type that the block was written without is all missing.
        """
        head = stored.document("block")
        rows = int(head["rows"])
        known_fields, known_events = set(head["fields"]), set(head["events"])
        return cls(
            number=number,
            ids=IdColumn.from_parts(stored, "ids/"),
            live=stored.bitmap("live"),
            fields={
                field.name: fields.load(stored, f"field/{field.name}", field)
                if field.name in known_fields
                else _missing(field, rows)
                for field in schema.all_fields.values()
                if field.name != "id"
            },
            lists=KeywordsIndex.from_parts(stored, "list", LISTS),
            opted_out=KeywordsIndex.from_parts(stored, "opted_out", OPTED_OUT),
            events={
                event.name: EventIndex.from_parts(stored, f"event/{event.name}/", event)
                if event.name in known_events
                else EventIndex.build(event_schema(event).empty_table(), rows, event)
                for event in schema.all_events.values()
            },
        )

    def contacts_table(self) -> pa.Table:
        """Return every row as it was built, in the columns of `contact_schema`."""
        columns = {"id": self.ids.array}
        columns |= {name: index.to_arrow() for name, index in self.fields.items()}
        columns |= {"list": self.lists.to_arrow(), "opted_out": self.opted_out.to_arrow()}
        return pa.table(columns)

    def event_table(self, name: str) -> pa.Table:
        """Return the log of one event type, sorted by time, in the columns of `event_schema`."""
        return self.events[name].to_arrow()

    def check(self) -> Iterator[str]:
        """Yield a sentence for each redundant structure that disagrees with its source."""
        for message in self.ids.check():
            yield f"ids: {message}"
        if self.live and self.live.max() >= self.rows:
            yield f"live: holds row {self.live.max()} of {self.rows} rows"
        for name, index in self._indexes():
            if index.rows != self.rows:
                yield f"{name}: has {index.rows} rows, the block has {self.rows}"
            for message in index.check():
                yield f"{name}: {message}"

    def memory(self) -> dict[str, dict[str, int]]:
        """Return real bytes held, by index name and then by kind of structure."""
        found = {name: index.memory() for name, index in self._indexes()}
        found["ids"] = self.ids.memory()
        found["live"] = {"postings": bitmaps.memory(self.live)}
        return found

    def _indexes(self) -> Iterator[tuple[str, FieldIndex | EventIndex]]:
        for name, index in self.fields.items():
            yield f"field {name}", index
        yield "lists", self.lists
        yield "opted out", self.opted_out
        for name, log in self.events.items():
            yield f"event {name}", log


def _column(table: pa.Table, name: str, rows: int, kind: pa.DataType) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(rows, kind)
    column = table.column(name)
    assert column.type == kind, f"column {name}: expected {kind}, found {column.type}"
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _field_column(table: pa.Table, field: Field, rows: int) -> pa.Array:
    return _column(table, field.name, rows, ARROW_TYPES[field.type])


def _missing(field: Field, rows: int) -> FieldIndex:
    return fields.build(pa.nulls(rows, ARROW_TYPES[field.type]), field)
