"""
A schema that changes under its data, and events that are too old to be kept.

What stays as it was keeps its index. A field that is renamed is indexed anew under its name, one
whose type changes is converted, and it is refused unless every value converts. Events of a type
keep their log whatever becomes of their properties.

Expiry moves a floor: events below it are not seen by any query from the next view on, and are gone
from memory and disk with the next compaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap

from headcount.index import bitmaps, fields, properties
from headcount.index.arrow import ARROW_TYPES
from headcount.index.block import Block, Identity, Pieces, event_schema
from headcount.index.events import EventIndex
from headcount.index.fields import FieldIndex
from headcount.index.interval import EVER, Interval
from headcount.index.lazy import Lazy
from headcount.index.properties import EventProperty
from headcount.index.view import View
from headcount.load.coerce import coerce
from headcount.model import schema_toml
from headcount.model.changes import ExpireStep, SchemaStep
from headcount.model.errors import Reason, UserError
from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.model.time_zone import time_zone

_SHOWN = 5  # values that do not convert


def expired(view: View, step: ExpireStep) -> tuple[View, BitMap]:
    """Return *view* without the events that expire, and the ordinals of the contacts they had."""
    before = max(step.before, view.expired.get(step.event, EVER.low))
    touched = BitMap()
    blocks = []
    for block in view.blocks:
        found = []
        for piece in block.pieces(step.event):
            start, stop = piece.slice(Interval(EVER.low, before - 1))
            rows = np.unique(piece.log_rows[start:stop])
            positions = rows.astype(np.int64) + block.number * view.block_rows
            touched |= bitmaps.from_rows(view.ordinals(positions))
            found.append(piece.with_floor(before) if start < stop else piece)
        blocks.append(_with_pieces(block, step.event, tuple(found), before))
    live = BitMap.union(BitMap(), *_live(view)) if view.blocks else BitMap()
    after = replace(
        view,
        blocks=tuple(blocks),
        base=len(view.base_blocks),
        expired={**view.expired, step.event: before},
    )
    return after, touched & live


def _live(view: View) -> Iterator[BitMap]:
    """Yield the ordinals of the live contacts, block by block."""
    for block in view.blocks:
        if block.ordinals is None:
            yield block.live.shift(block.number * view.block_rows)
        else:
            yield bitmaps.from_sorted(block.ordinals[bitmaps.to_rows(block.live)])


def with_schema(view: View, step: SchemaStep) -> View:
    """
    Return *view* under a new schema.

    Raises:
        UserError: INVALID_SCHEMA, a value does not convert to its field's new type.
    """
    schema = schema_toml.parse(step.toml, "the new schema")
    change = _Change(view.schema, schema, step)
    expired = {
        event.name: view.expired[old]
        for event in schema.all_events.values()
        if (old := step.events.get(event.name, event.name)) in view.expired
        and not _is_kept_longer(view.schema.event_type(old), event)
    }
    blocks = tuple(change.block(block) for block in view.blocks)
    return replace(view, schema=schema, blocks=blocks, base=len(view.base_blocks), expired=expired)


def _is_kept_longer(old: EventType | None, new: EventType) -> bool:
    """Return whether old events may come again: what has expired stays so, what comes counts."""
    if old is None or not old.keep_days:
        return False
    return not new.keep_days or new.keep_days > old.keep_days


class _Change:
    """A change from one schema to another."""

    def __init__(self, before: Schema, after: Schema, step: SchemaStep) -> None:
        self._before = before
        self._after = after
        self._step = step
        self._zone = time_zone(after.time_zone)

    def block(self, block: Block) -> Block:
        """Return a block under the new schema."""
        if block.columns is not None:
            return self._recent(block)
        stored = [f for f in self._after.all_fields.values() if f.name != "id"]
        kept = self._events(block)
        return replace(
            block,
            fields={field.name: self._index(block, field) for field in stored},
            events={name: pieces[0] for name, pieces in kept.items()},
            newer={name: pieces[1:] for name, pieces in kept.items() if len(pieces) > 1},
            sizes={},
            identity=Identity(),
        )

    def _recent(self, block: Block) -> Block:
        assert block.ordinals is not None
        columns = {
            field.name: self._column(block, field)
            for field in self._after.all_fields.values()
            if field.name != "id"
        }
        columns |= {"id": block.column("id")}
        columns |= {name: block.column(name) for name in block.memberships}
        kept = self._events(block)
        tables = {name: pieces[0].to_arrow() for name, pieces in kept.items()}
        changed = Block.recent(block.number, block.ordinals, columns, tables, self._after)
        newer = {name: pieces[1:] for name, pieces in kept.items() if len(pieces) > 1}
        return changed.with_changes(live=block.live, newer=newer)

    def _old(self, field: Field) -> Field | None:
        return self._before.all_fields.get(self._step.fields.get(field.name, field.name).casefold())

    def _index(self, block: Block, field: Field) -> FieldIndex:
        if self._old(field) == field:
            return block.fields[field.name]
        return fields.build(self._column(block, field), field)

    def _column(self, block: Block, field: Field) -> pa.Array:
        """Return the values of a field, converted to its new type."""
        old = self._old(field)
        if old is None:
            return pa.nulls(block.rows, ARROW_TYPES[field.type])
        values = block.column(old.name)
        if old.type is field.type and set(old.values) <= set(field.values or old.values):
            return values
        return _converted(values, old, field, self._zone, block)

    def _events(self, block: Block) -> Mapping[str, Pieces]:
        found: dict[str, Pieces] = {}
        for event in self._after.all_events.values():
            old = self._before.all_events.get(
                self._step.events.get(event.name, event.name).casefold()
            )
            if old is None:
                empty = event_schema(event).empty_table()
                found[event.name] = (EventIndex.build(empty, block.rows, event),)
            elif old == event:
                found[event.name] = block.pieces(event.name)
            else:
                found[event.name] = tuple(
                    self._changed(piece, event) for piece in block.pieces(old.name)
                )
        return found

    def _changed(self, piece: EventIndex, event: EventType) -> EventIndex:
        columns: dict[str, EventProperty] = {}
        for wanted in event.properties:
            name = self._step.properties.get((event.name, wanted.name), wanted.name)
            old = piece.event.property(name)
            if old is None:
                columns[wanted.name] = properties.missing(wanted, piece.size)
            elif old == wanted:
                columns[wanted.name] = piece.property(old.name)
            else:
                values = piece.property(old.name).to_arrow()
                if old.type is not wanted.type:
                    values = _converted(values, old, wanted, self._zone, None)
                order = np.arange(piece.size)
                columns[wanted.name] = properties.build(pa.chunked_array([values]), wanted, order)
        return piece.with_properties(event, columns)


def _converted(
    values: pa.Array, old: Field, new: Field, zone: ZoneInfo, block: Block | None
) -> pa.Array:
    """Return *values* brought to a new type; every one of them must fit."""
    plain = values
    if FieldType.KEYWORDS in (old.type, new.type) and old.type is not new.type:
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"`{old.name}` is {old.type} and cannot become {new.type}; add a new field instead",
        )
    if old.type in (FieldType.DATE, FieldType.DATETIME, FieldType.BOOLEAN, FieldType.NUMBER):
        plain = as_text(values, old)
    result = coerce(plain, field=new, zone=zone)
    refused = pc.and_(result.values.is_null(), values.is_valid())
    if block is not None:
        dead = ~bitmaps.to_mask(block.live, block.rows)
        refused = pc.and_(refused, pa.array(~dead))
    places = np.flatnonzero(refused.to_numpy(zero_copy_only=False))
    if len(places):
        shown = ", ".join(repr(plain[place].as_py()) for place in places[:_SHOWN].tolist())
        whose = ""
        if block is not None:
            ids = block.ids.take(places[:_SHOWN].astype(np.uint32)).to_pylist()
            whose = f", of the contacts {', '.join(map(repr, ids))}"
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"`{old.name}` cannot become {new.type}: {len(places):,} values do not convert, such as"
            f" {shown}{whose}; correct them first, or add a new field instead",
        )
    return result.values


def as_text(values: pa.Array, field: Field) -> pa.Array:
    """Return values of a field that has one each as the text that they are converted from."""
    if field.type is FieldType.NUMBER:
        texts = [
            None if value is None else (str(int(value)) if value == int(value) else repr(value))
            for value in values.to_pylist()
        ]
        return pa.array(texts, pa.string())
    if field.type is FieldType.DATETIME:
        return pc.strftime(values, "%Y-%m-%dT%H:%M:%SZ")
    return values.cast(pa.string())


def _with_pieces(block: Block, name: str, pieces: Pieces, before: int) -> Block:
    """Return the block with other pieces of one event type, none of it from *before* an instant."""
    newer = {**block.newer, name: pieces[1:]}
    newer = {type_: held for type_, held in newer.items() if held}
    events = Lazy(block.events, lambda type_: pieces[0] if type_ == name else block.events[type_])
    sizes = {type_: size for type_, size in block.sizes.items() if type_ != name}
    tables = block.tables
    if tables is None:
        return replace(block, events=events, newer=newer, sizes=sizes)
    kept = _since(tables[name], before)
    left = Lazy(tables, lambda type_: kept if type_ == name else tables[type_])
    return replace(block, events=events, newer=newer, tables=left)


def _since(table: pa.Table, before: int) -> pa.Table:
    times = table.column("time").cast(pa.int64()).to_numpy()
    kept = times >= before
    return table if kept.all() else table.filter(pa.array(kept))
