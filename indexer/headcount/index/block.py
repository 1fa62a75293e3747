"""
A block: up to 2^20 contacts with everything known about them, immutable.

    Block
    ├── ids         row → contact id, and back
    ├── live        the rows that are contacts (the rest were deleted, or have moved)
    ├── fields      one index a field: postings, ranges, text, flags
    ├── lists       which lists a contact is on; opted_out: which it asked to hear no more from
    ├── events      one index an event type: the log, recency, tallies
    └── newer       events that came later, in small indexes of their own

The block is the unit of evaluation (a 2^20-bit operand is 128 KiB, so a whole expression stays in
the second-level cache), of publication and of storage. It refers to nothing outside itself:
dictionaries are its own, rows are numbered from 0. So a block can be rebuilt, checked, written or
moved to another machine alone. The price is one dictionary a block instead of one a workspace.

There are two kinds, which answer alike. A *base* block comes from a snapshot and holds contacts
with consecutive ordinals; its indexes are read from there when they are first asked for. A *recent*
block holds the contacts that a write has touched, with their ordinals beside them; its indexes are
made when they are first asked for, because it may live for a second only.

It is not where anything is computed about a query: see `headcount.query.evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps, fields, parts
from headcount.index.arrow import ARROW_TYPES as ARROW_TYPES
from headcount.index.events import EventIndex
from headcount.index.fields import FieldIndex
from headcount.index.ids import IdColumn
from headcount.index.keywords import KeywordsIndex
from headcount.index.lazy import Lazy, held, made
from headcount.index.parts import Part, Parts
from headcount.model.schema import EventType, Field, FieldType, Schema

BLOCK_ROWS = 1 << 20  # 16 roaring containers of 2**16 rows

LISTS = Field("list", FieldType.KEYWORDS, builtin=True)
OPTED_OUT = Field("opted_out", FieldType.KEYWORDS, builtin=True)
_SIZES = "sizes"  # the part that says how many events there are of each type

MEMBERSHIPS = {f.name: f for f in (LISTS, OPTED_OUT)}

Rows = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Instants = npt.NDArray[np.int64]
Columns = Mapping[str, pa.Array]  # by the names of `contact_schema`
Tables = Mapping[str, pa.Table]  # by the declared names of event types; of `event_schema`
Pieces = tuple[EventIndex, ...]


def contact_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of contacts: `id`, each stored field, `list`, `opted_out`."""
    return pa.schema(list(column_types(schema).items()))


def column_types(schema: Schema) -> dict[str, pa.DataType]:
    """Return the types of the columns of `contact_schema` by name; a tenth of its cost."""
    found = {field.name: ARROW_TYPES[field.type] for field in schema.all_fields.values()}
    return found | {name: ARROW_TYPES[sets.type] for name, sets in MEMBERSHIPS.items()}


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


class Identity:
    """What the versions of one block have in common, all rows and fields; known by itself."""

    __slots__ = ("__weakref__",)


@dataclass(frozen=True, eq=False)
class Block:
    """
    Some contacts: those with ordinals `number * block_rows` onward, or those in `ordinals`.

    `number` is the block's place in its view. `fields` is keyed by the declared name of every
    stored field but `id`, `memberships` by `list` and `opted_out`, `events` by the declared name of
    every event type; `newer` has further events of some types. Blocks of one `identity` differ in
    `live` and `newer` at most. Nothing reachable from a block ever changes; bitmaps handed out by
    it must not be changed either.
    """

    number: int
    ids: IdColumn
    live: BitMap
    fields: Mapping[str, FieldIndex]
    memberships: Mapping[str, KeywordsIndex]
    events: Mapping[str, EventIndex]
    newer: Mapping[str, Pieces] = field(default_factory=dict)
    ordinals: Rows | None = None
    identity: Identity = field(default_factory=Identity)
    columns: Columns | None = None  # of a recent block, like `tables`: what it is made from
    tables: Tables | None = None
    moves: int = 0  # how many blocks that were, one behind the other, its columns are read through
    stored: Parts | None = None  # of a base block that is read as it is asked for: where from
    sizes: Mapping[str, int] = field(default_factory=dict)  # events by type, where known unread

    @property
    def rows(self) -> int:
        """Return how many rows there are, live or not."""
        return self.ids.rows

    @property
    def lists(self) -> KeywordsIndex:
        """Return which lists each contact is on."""
        return self.memberships[LISTS.name]

    @property
    def opted_out(self) -> KeywordsIndex:
        """Return from which lists each contact wants to hear no more."""
        return self.memberships[OPTED_OUT.name]

    def pieces(self, name: str) -> Pieces:
        """Return the indexes that together hold the events of one type; the first is the base."""
        return (self.events[name], *self.newer.get(name, ()))

    @classmethod
    def build(
        cls,
        number: int,
        contacts: pa.Table,
        events: Tables,
        schema: Schema,
        live: BitMap | None = None,
        pool: Executor | None = None,
    ) -> Block:
        """
        Return a base block from typed tables, all of its contacts *live* unless said.

        *contacts* has the columns of `contact_schema` (an absent one is all missing); row i becomes
        row i. *events* maps the names of event types to tables of `event_schema`, in any order.
        With a *pool* the indexes are still being built when this returns, and each is waited for
        when it is asked for. Costs 0.05 to 0.15 s of CPU per million rows and field, 1.3 for text,
        and 0.2 per million events.
        """
        rows = contacts.num_rows

        def field_index(field: Field) -> FieldIndex:
            return fields.build(_field_column(contacts, field, rows), field)

        def sets_index(field: Field) -> KeywordsIndex:
            return KeywordsIndex.build(_field_column(contacts, field, rows), field)

        def event_index(event: EventType) -> EventIndex:
            table = events.get(event.name)
            if table is None:
                table = event_schema(event).empty_table()
            return EventIndex.build(table, rows, event)

        stored, types = schema.indexed_fields, schema.event_types
        return cls(
            number=number,
            ids=IdColumn.build(_column(contacts, "id", rows, pa.string())),
            live=bitmaps.full(rows) if live is None else live,
            fields=made(stored, field_index, pool, first=lambda f: f.type is FieldType.TEXT),
            memberships=made(MEMBERSHIPS, sets_index, pool),
            events=made(types, event_index, pool),
        )

    @classmethod
    def recent(
        cls,
        number: int,
        ordinals: Rows,
        columns: Columns,
        events: Tables,
        schema: Schema,
        moves: int = 0,
    ) -> Block:
        """
        Return a block of live contacts with *ordinals* (ascending), its indexes made when needed.

        *columns* has every column of `contact_schema`, *events* a table of every event type; they
        are read through *moves* blocks, one behind the other.
        """
        rows = len(ordinals)
        stored, types = schema.indexed_fields, schema.event_types
        return cls(
            number=number,
            ids=IdColumn.later(rows, lambda: columns["id"]),
            live=bitmaps.full(rows),
            fields=Lazy(stored, lambda name: fields.build(columns[name], stored[name])),
            memberships=Lazy(
                MEMBERSHIPS, lambda name: KeywordsIndex.build(columns[name], MEMBERSHIPS[name])
            ),
            events=Lazy(types, lambda name: EventIndex.build(events[name], rows, types[name])),
            ordinals=ordinals,
            columns=columns,
            tables=events,
            moves=moves,
        )

    def with_changes(
        self, live: BitMap | None = None, newer: Mapping[str, Pieces] | None = None
    ) -> Block:
        """Return the block with other `live` rows or `newer` events; the rest is shared."""
        found = object.__new__(Block)  # at a fifth of the cost of `replace`: commits do it often
        found.__dict__.update(self.__dict__)
        if live is not None:
            found.__dict__["live"] = live
        if newer is not None:
            found.__dict__["newer"] = newer
        return found

    def parts(self) -> Iterator[Part]:
        """Yield a base block without `newer` events as named byte strings, one index at a time."""
        assert self.ordinals is None, "a recent block is not stored"
        assert not self.newer, "newer events are not stored"
        yield parts.document(
            "block", {"rows": self.rows, "fields": list(self.fields), "events": list(self.events)}
        )
        yield parts.bitmap("live", self.live)
        yield from self.ids.parts("ids/")
        for name, index in self.fields.items():
            yield from index.parts(f"field/{name}")
        for name, sets in self.memberships.items():
            yield from sets.parts(name)
        sizes = {}
        for name, log in self.events.items():
            yield from log.parts(f"event/{name}/")
            sizes[name] = log.size
        yield parts.document(_SIZES, sizes)

    @classmethod
    def load(cls, number: int, stored: Parts, schema: Schema) -> Block:
        """
        Return the block that `parts` was called on, under a *schema* that may have grown since.

        A field or event type that the block was written without is all missing. Of lazy parts each
        index is made when it is first asked for.
        """
        head = stored.document("block")
        rows = int(head["rows"])
        known_fields, known_events = set(head["fields"]), set(head["events"])

        def field_index(field: Field) -> FieldIndex:
            if field.name not in known_fields:
                return fields.build(pa.nulls(rows, ARROW_TYPES[field.type]), field)
            return fields.load(stored, f"field/{field.name}", field)

        def event_index(event: EventType) -> EventIndex:
            if event.name not in known_events:
                return EventIndex.build(event_schema(event).empty_table(), rows, event)
            return EventIndex.from_parts(stored, f"event/{event.name}/", event)

        return cls(
            number=number,
            ids=IdColumn.from_parts(stored, "ids/", rows),
            live=stored.bitmap("live"),
            fields=stored.made(schema.indexed_fields, field_index),
            memberships=stored.made(
                MEMBERSHIPS, lambda field: KeywordsIndex.from_parts(stored, field.name, field)
            ),
            events=stored.made(schema.event_types, event_index),
            stored=stored if stored.lazy else None,
            sizes=stored.document(_SIZES) if _SIZES in stored else {},
        )

    def column(self, name: str, rows: Rows | None = None) -> pa.Array:
        """Return a column of `contact_schema` as it was given, of *rows* (all when None)."""
        if self.columns is not None:
            whole = self.columns[name]
            return whole if rows is None else whole.take(pa.array(rows))
        if name == "id":
            return self.ids.array if rows is None else self.ids.take(rows)
        index = self.memberships[name] if name in MEMBERSHIPS else self.fields[name]
        return index.to_arrow(rows)

    def contacts_table(self) -> pa.Table:
        """Return every row as it was built, in the columns of `contact_schema`."""
        names = ["id", *self.fields, *self.memberships]
        return pa.table({name: self.column(name) for name in names})

    def event_table(self, name: str, rows: Rows | None = None) -> pa.Table:
        """
        Return the events of one type in the columns of `event_schema`; sorted by time by piece.

        Of *rows* (ascending, unique), if given: `row` is then a place in them.
        """
        tables = []
        if self.tables is None:
            pieces = self.pieces(name)
        else:  # a table is read faster than it is indexed
            table = self.tables[name]
            tables.append(table if rows is None else _of_rows(table, rows, self.rows))
            pieces = self.newer.get(name, ())
        for piece in pieces:
            if rows is None:
                tables.append(piece.to_arrow())
            elif piece.size:
                positions, whose = piece.of_rows(rows)
                if len(positions):
                    places = pa.array(whose.astype(np.uint32))
                    tables.append(piece.to_arrow(positions).set_column(0, "row", places))
        if not tables:
            return self.events[name].nothing
        return tables[0] if len(tables) == 1 else pa.concat_tables(tables)

    def event_times(self, name: str, rows: Rows) -> tuple[Places, Instants]:
        """
        Return whose (int64, a place in *rows*) and when (µs) the events of one type are.

        Of *rows*, ascending and unique; in any order. A tenth of the cost of `event_table`.
        """
        whose: list[Places] = [np.zeros(0, dtype=np.int64)]
        times: list[Instants] = [np.zeros(0, dtype=np.int64)]
        if self.tables is None:
            pieces = self.pieces(name)
        else:
            pieces = self.newer.get(name, ())
            table = _of_rows(self.tables[name].select(["row", "time"]), rows, self.rows)
            whose.append(table.column("row").to_numpy().astype(np.int64))
            times.append(table.column("time").cast(pa.int64()).to_numpy())
        for piece in pieces:
            if piece.size:
                positions, owners = piece.of_rows(rows)
                whose.append(owners)
                times.append(piece.log.timeline.take(positions))
        return np.concatenate(whose), np.concatenate(times)

    def event_count(self, name: str) -> int:
        """
        Return how many events of one type its live contacts have.

        2 ms per million where some are not live. Events of which only the number is wanted are not
        read.
        """
        if name in self.sizes and name not in held(self.events) and len(self.live) == self.rows:
            newer = self.newer.get(name, ())
            return self.sizes[name] + sum(piece.size - piece.start for piece in newer)
        pieces = self.pieces(name)
        if len(self.live) == self.rows:
            return sum(piece.size - piece.start for piece in pieces)
        present = bitmaps.to_mask(self.live, self.rows)
        rows = (piece.log_rows[piece.start :] for piece in pieces)
        return sum(int(np.count_nonzero(present.take(one))) for one in rows)

    def check(self) -> Iterator[str]:
        """Yield a sentence for each redundant structure that disagrees with its source."""
        for message in self.ids.check():
            yield f"ids: {message}"
        if self.live and self.live.max() >= self.rows:
            yield f"live: holds row {self.live.max()} of {self.rows} rows"
        if self.ordinals is not None:
            if len(self.ordinals) != self.rows:
                yield f"ordinals: {len(self.ordinals)} for {self.rows} rows"
            elif np.any(self.ordinals[1:] <= self.ordinals[:-1]):
                yield "ordinals: not ascending"
        for name, index in self._indexes():
            if index.rows != self.rows:
                yield f"{name}: has {index.rows} rows, the block has {self.rows}"
            for message in index.check():
                yield f"{name}: {message}"

    def memory(self) -> dict[str, dict[str, int]]:
        """
        Return real bytes held, by index name and then by kind of structure.

        Indexes that are stored and were not asked for are not in memory, and not here.
        """
        found: dict[str, dict[str, int]] = {}
        for name, index in self._indexes(held):
            kinds = found.setdefault(name, {})
            for kind, size in index.memory().items():
                kinds[kind] = kinds.get(kind, 0) + size
        found["ids"] = self.ids.memory()
        found["live"] = {"postings": bitmaps.memory(self.live)}
        return found

    def _indexes(
        self, among: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    ) -> Iterator[tuple[str, FieldIndex | EventIndex]]:
        """Yield every index with its name; *among* chooses from those that a mapping has."""
        for name, index in among(self.fields).items():
            yield f"field {name}", index
        for name, index in among(self.memberships).items():
            yield name.replace("_", " ") if name != LISTS.name else "lists", index
        for name, index in among(self.events).items():
            yield f"event {name}", index
        for name, pieces in self.newer.items():
            for piece in pieces:
                yield f"event {name}", piece


def _of_rows(table: pa.Table, rows: Rows, size: int) -> pa.Table:
    """Return the events of *rows* (ascending) of a block of *size*, their row a place in them."""
    if not table.num_rows:
        return table
    place = np.full(size, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    places = place[table.column("row").to_numpy()]
    held = places >= 0
    if not held.all():  # a filter reads every column to its end
        table, places = table.take(pa.array(np.flatnonzero(held))), places[held]
    at = table.column_names.index("row")
    return table.set_column(at, "row", pa.array(places.astype(np.uint32)))


def _column(table: pa.Table, name: str, rows: int, kind: pa.DataType) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(rows, kind)
    column = table.column(name)
    assert column.type == kind, f"column {name}: expected {kind}, found {column.type}"
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _field_column(table: pa.Table, field: Field, rows: int) -> pa.Array:
    return _column(table, field.name, rows, ARROW_TYPES[field.type])
