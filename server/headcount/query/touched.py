"""
Touched: how many bytes of a block one condition reads to be worked out.

Counted where it is read: containers of bitmaps, stretches of logs, columns, texts. By the same
choices as the evaluation makes (which path, which bins, which trigrams), after it, and only when
somebody asks (`profile`); so a query that nobody profiles does not count anything. What is made on
the way, and the headers around what is read, is not in it. Where a walk ends early (the newest
event before an instant), it is what it reads at most.

A bitmap that an index hands out as it is has not been read yet: the operator that takes it does.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.events import EventIndex
from headcount.index.flags import FlagIndex
from headcount.index.ids import IdColumn
from headcount.index.interval import Interval
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.properties import NumberProperty, StringProperty
from headcount.index.ranges import RangeIndex
from headcount.index.text import TextIndex
from headcount.model.fold import is_exact
from headcount.model.schema import Field
from headcount.query.bound import (
    Condition,
    EventCount,
    Follows,
    InRanges,
    KeyIn,
    KeysAll,
    Matches,
    Node,
    Sampled,
    children,
)
from headcount.query.estimate import limits
from headcount.query.expressions import (
    EventAggregate,
    EventTally,
    EventTime,
    FieldValue,
    Source,
    Sources,
)
from headcount.query.figures import Figures
from headcount.query.frames import index_of, range_index, text_index
from headcount.query.settled import is_at_hand

_TIME = 4  # bytes of an event's time in its log
_HASH = 8  # of an id's hash


def touched(
    condition: Condition, block: Block, figures: Figures, among: BitMap | None = None
) -> int:
    """
    Return how many bytes of *block* are read to find the rows of *condition*.

    *among* are the only rows that are looked at, None for all.
    """
    match condition:
        case KeyIn(FieldValue(field), keys) if is_exact(field):
            return _HASH * len(keys) * block.rows.bit_length()
        case KeyIn(FieldValue(field), keys) | KeysAll(FieldValue(field), keys):
            return _keys(condition, text_index(block, field), keys)
        case InRanges(FieldValue(field)) if among is not None:
            return _column(block, field, among)
        case InRanges(FieldValue(field), ranges):
            index = range_index(block, field)
            return sum(
                index.touched(*index.ranks(*limits(r))) + 2 * index.touched_by_bound()
                for r in ranges
            )
        case EventCount():
            return _events(condition, figures)
        case Matches(FieldValue(field)):
            return _matches(condition, block, field, among)
        case Follows(first, then, _, interval, until):
            later = Interval(interval.low, until)
            return _log(first, interval, figures) + _log(then, later, figures)
        case Sampled():
            return _HASH * block.rows
    if is_at_hand(condition, block):
        return 0
    return _expressions(condition, block, figures, among)


def _keys(
    condition: KeyIn | KeysAll,
    index: KeywordIndex | KeywordsIndex | TextIndex,
    keys: frozenset[str],
) -> int:
    if isinstance(index, TextIndex):
        return sum(map(index.touched, keys))
    codes = [index.dictionary.lookup(key) for key in keys]
    if isinstance(condition, KeysAll):
        return sum(map(bitmaps.payload, map(index.postings.union, codes))) if len(codes) > 1 else 0
    return index.postings.touched([code for each in codes for code in each])


def _matches(condition: Matches, block: Block, field: Field, among: BitMap | None) -> int:
    pattern = condition.pattern
    index = block.ids if is_exact(field) else text_index(block, field)
    if isinstance(index, KeywordIndex | KeywordsIndex):
        dictionary = index.dictionary
        codes = pattern.test(dictionary.values, dictionary.keys).nonzero()[0].tolist()
        return int(dictionary.keys.nbytes) + index.postings.touched(codes)
    texts = index.texts if isinstance(index, IdColumn) else index.keys
    if among is not None:
        return int(texts.nbytes * len(among) / max(1, block.rows))
    if isinstance(index, IdColumn):
        return texts.nbytes
    literal = pattern.required or ""
    decides = (
        pattern.op == "contains" and len(pattern.wanted.encode()) == len(literal.encode()) == 3
    )
    return index.touched(literal, decides=decides)


# --- events -----------------------------------------------------------------------------------


def _pieces(
    sources: Sources, interval: Interval, figures: Figures
) -> Iterator[tuple[Source, EventIndex, int]]:
    """Yield the indexes of each source, and how many of their events are in the interval."""
    for source in sources:
        for index in figures.pieces(source):
            start, stop = index.slice(interval)
            yield source, index, stop - start


def _events(condition: EventCount, figures: Figures) -> int:
    """Return what is read to count events: their logs or what stands for them, and properties."""
    interval, total = condition.interval, 0
    n = condition.low if len(condition.sources) == 1 else None
    for place, (source, index, size) in enumerate(_pieces(condition.sources, interval, figures)):
        if place and n is not None:
            total += index.log.rows.itemsize * size  # a newer piece is read as it is
        elif source.where is None:
            total += index.touched(n, interval)
            if n is not None and condition.high is not None:
                total += index.touched(condition.high + 1, interval)
        else:
            chosen = 0 if n is None else size
            total += index.touched(n, interval, chosen)
        total += _properties(source, index, size)
    return total


def _properties(source: Source, index: EventIndex, size: int) -> int:
    """Return what is read of the columns that a source's condition names, or that it aggregates."""
    names = [] if source.where is None else [value.field.name for value in _fields(source.where)]
    if source.property is not None:
        names.append(source.property.name)
    total = 0.0
    for name in names:
        column = index.property(name)
        match column:
            case StringProperty():
                total += column.stored.itemsize * size
            case NumberProperty():
                total += (column.column.stored.itemsize + bool(len(column.absent)) / 8) * size
            case _:
                total += column.flags.itemsize * size
    return int(total)


def _log(sources: Sources, interval: Interval, figures: Figures) -> int:
    """Return what is read of whose and when the events are, and of their properties."""
    return sum(
        (index.log.rows.itemsize + _TIME) * size + _properties(source, index, size)
        for source, index, size in _pieces(sources, interval, figures)
    )


# --- expressions ------------------------------------------------------------------------------


def _fields(node: Node) -> Iterator[FieldValue]:
    """Yield each place in a tree where a stored value is read."""
    if isinstance(node, FieldValue):
        yield node
        return
    for child in children(node):
        yield from _fields(child)


def _expressions(node: Node, block: Block, figures: Figures, among: BitMap | None) -> int:
    """Return what is read of columns and logs for a computed condition or an expression."""
    match node:
        case FieldValue(field):
            return _column(block, field, among)
        case EventTally(sources, interval):
            return sum(
                index.touched(None, interval, None if source.where is None else size)
                + _properties(source, index, size)
                for source, index, size in _pieces(sources, interval, figures)
            )
        case EventTime(sources=sources, interval=interval):
            return _log(sources, interval, figures)
        case EventAggregate(sources=sources, interval=interval):
            return sum(
                index.log.rows.itemsize * size + _properties(source, index, size)
                for source, index, size in _pieces(sources, interval, figures)
            )
    return sum(_expressions(child, block, figures, among) for child in children(node))


def _column(block: Block, field: Field, among: BitMap | None) -> int:
    """Return what is read of one column, and of which rows have a value."""
    share = 1.0 if among is None else len(among) / max(1, block.rows)
    if is_exact(field):
        return int(block.ids.texts.nbytes * share)
    index = index_of(block, field)
    match index:
        case RangeIndex():
            held = index.column.stored.nbytes * share
        case FlagIndex():
            return bitmaps.payload(index.true) + bitmaps.payload(index.present)
        case KeywordIndex():
            return int(index.codes.nbytes * share)
        case KeywordsIndex():
            return int((index.offsets.nbytes + index.members.nbytes) * share)
        case TextIndex():
            return int(index.values.nbytes * share)
    return int(held) + bitmaps.payload(index.present)
