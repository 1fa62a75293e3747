"""
Absent values: what a segment asks for that no contact, or no event, has.

Legal, and most often a typo. Each value is looked up in every block's dictionary or range index;
those that are nowhere are one warning a condition, with the values that may have been meant. What
was said of a short list of values is remembered: the same segment is asked again and again, and a
typo is compared with every value there is (2 ms for 500).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial

import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.bitmaps import Mask
from headcount.index.block import Block
from headcount.index.events import EventIndex
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.properties import FlagProperty, NumberProperty, StringProperty
from headcount.index.view import View
from headcount.model.fold import field_key, is_exact
from headcount.model.schema import EventType, Field, FieldType, nearest
from headcount.query.bound import Mention, QueryWarning
from headcount.query.frames import flag_index, range_index, text_index
from headcount.query.names import listed

_MOST_COMPARED = 10_000  # distinct values that a typo is compared with
_REMEMBERED = 4096  # lists of values, of at most so many each:
_MOST_REMEMBERED = 16
_MOST_HELD_TO_LIVE = 1_000  # values of one list, 20 µs each
_RANGED = (FieldType.NUMBER, FieldType.DATE, FieldType.DATETIME)

Key = float | str


class Absences:
    """What is said of values that a view does not hold. Any thread may ask."""

    def __init__(self, view: View) -> None:
        # Not a method: with one in its own memory this would be a cycle, and hold on to the view.
        self._message = partial(_message, view=view)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._message)

    def warnings(self, mentions: Iterable[Mention]) -> tuple[QueryWarning, ...]:
        """Return a warning for each of *mentions* with values that the view does not hold."""
        found = []
        for mention in mentions:
            # Where it stood makes no difference to what is said.
            asked = replace(mention, position=None)
            short = len(mention.values) <= _MOST_REMEMBERED
            message = (self._remembered if short else self._message)(asked)
            if message is not None:
                found.append(QueryWarning("UNKNOWN_VALUE", message, mention.position))
        return tuple(found)


def _message(mention: Mention, view: View) -> str | None:
    """Return what is wrong with the values of *mention*; None if all of them are there."""
    left = dict(mention.values)
    for block in view.blocks:
        if not left:
            return None
        for key in _present(mention, block, list(left)):
            left.pop(key, None)
    if not left:
        return None
    field, values = mention.field, list(left.values())
    who, owner = "contact", field.name
    if mention.event is not None:
        who, owner = f"`{mention.event.name}`", f"{mention.event.name}.{field.name}"
    message = f"no {who} has {listed(values)} in `{owner}`"
    near = nearest(values[0], _known(mention, view)) if len(values) == 1 else ()
    meant = [value for value in near if _is_held(value, mention, view)]
    if meant:
        message += f"; did you mean {' or '.join(f'`{value}`' for value in meant)}?"
    return message


def _is_held(value: str, mention: Mention, view: View) -> bool:
    """Return whether *value*, which a dictionary has, is still that of somebody."""
    wanted: list[Key] = [field_key(value, mention.field)]
    return any(any(True for _ in _present(mention, block, wanted)) for block in view.blocks)


def _present(mention: Mention, block: Block, keys: list[Key]) -> Iterable[Key]:
    """
    Return those of *keys* that a contact of the block, or an event of one, has.

    What was overwritten or deleted stays in the indexes until the block is rebuilt. It counts as
    present in a longer list than anybody writes by hand.
    """
    field, event = mention.field, mention.event
    whole = len(block.live) == block.rows or len(keys) > _MOST_HELD_TO_LIVE
    if event is not None:
        return _in_events(field, event, block, keys, whole=whole)
    if field.type in _RANGED:
        index = range_index(block, field)
        if whole:
            return [key for key in keys if index.count_between(float(key), float(key))]
        rows_of = (index.between(float(key), float(key)) for key in keys)
        return [key for key, rows in zip(keys, rows_of, strict=True) if rows.intersect(block.live)]
    if field.type is FieldType.BOOLEAN:
        flags = flag_index(block, field)
        return [key for key in keys if flags.equal(bool(key)).intersect(block.live)]
    texts = [str(key) for key in keys]
    if is_exact(field):
        places = block.ids.lookup(pa.array(texts, pa.string())).tolist()
        return [t for t, row in zip(texts, places, strict=True) if row >= 0 and row in block.live]
    held = text_index(block, field)
    if isinstance(held, KeywordIndex | KeywordsIndex):
        found = _keys_of(held.dictionary.keys, held.dictionary.lookup_all(texts))
    else:
        found = held.keys.take(bitmaps.to_rows(held.equal(texts))).to_pylist()
    if whole:
        return found
    return [key for key in found if held.equal([str(key)]).intersect(block.live)]


def _in_events(
    field: Field, event: EventType, block: Block, keys: list[Key], *, whole: bool
) -> Iterable[Key]:
    found: list[Key] = []
    for index in block.pieces(event.name):
        column, start = index.property(field.name), index.start
        if isinstance(column, StringProperty):
            codes = column.dictionary.lookup_all([str(key) for key in keys])
            if whole:
                found += _keys_of(column.dictionary.keys, codes)
                continue
            kept = [code for code in codes if _any_live(index, column.among([code], start), block)]
            found += _keys_of(column.dictionary.keys, kept)
            continue
        assert isinstance(column, NumberProperty | FlagProperty), field
        held = column.vector(start)
        for key in keys:
            mask = held.present & (held.values == float(key))
            if mask.any() and (whole or _any_live(index, mask, block)):
                found.append(key)
    return found


def _any_live(index: EventIndex, mask: Mask, block: Block) -> bool:
    """Return whether an event of *mask*, from the first that has not expired, is of a contact."""
    return bool(BitMap(index.log_rows[index.start :][mask]).intersect(block.live))


def _keys_of(keys: pa.StringArray, places: Iterable[int]) -> list[Key]:
    found: list[Key] = keys.take(pa.array(list(places), pa.int64())).to_pylist()
    return found


def _known(mention: Mention, view: View) -> Iterator[str]:
    """Yield values that the field has, as they are spelt, from a block with not too many."""
    field, event = mention.field, mention.event
    if field.values or field.type in (*_RANGED, FieldType.BOOLEAN) or is_exact(field):
        return
    for block in view.blocks:
        dictionaries = []
        if event is not None:
            for piece in block.pieces(event.name):
                column = piece.property(field.name)
                assert isinstance(column, StringProperty), field
                dictionaries.append(column.dictionary)
        else:
            index = text_index(block, field)
            if isinstance(index, KeywordIndex | KeywordsIndex):
                dictionaries.append(index.dictionary)
        for dictionary in dictionaries:
            if len(dictionary) <= _MOST_COMPARED:
                yield from dictionary.values.to_pylist()
