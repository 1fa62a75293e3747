"""
Wordwise: a plan counted in words, block by block, where its operands are asked for often.

A plan becomes a *formula* of each block: the words it needs (`WordTwins`), and how they are joined.

    value of a field, flag         its words
    several values of a row's one  `^` of disjoint rows: the words of each, or for values that
                                   follow each other by frequency two prefixes, all of one value
                                   and those more frequent ("the ten largest countries" is one)
    several values of sets         `|` of the words of each, or for values that follow each other by
                                   frequency of two stretches of 2^k of them, which may overlap
    range of numbers or times      `^` of the rows below the bin's edge nearest to either bound, and
                                   up to 1,024 rows of the index's order from there to the bound
    `or`, `and`, `and not`         joined in words that are there already

The rows at the ends are flipped, in 8 µs a range. Tried: only looking those of the last range of an
`and` up in what the other steps left (5 µs an end, in numpy calls that let go of the interpreter).

Six conditions of 2^20 contacts take 0.09 ms so, 0.25 from roaring bitmaps; 29 rows 0.05 and 0.42.

Not counted so are plans with anything that has to be computed or has a text index, those in which a
step of an `and` holds less than one row in 64, where working on few rows is faster, blocks of few
rows, and one range by itself, whose index counts it by two bisections (15 µs where this takes 35).
As long as an operand has no words, or there is no room for them, `count` says None.

A formula holds no rows of answers, only operands that others share, and up to 2 KiB for each end of
a range and 8 for rare values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.bitmaps import Rows
from headcount.index.block import Block
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.postings import Postings
from headcount.index.ranges import RangeIndex
from headcount.model.fold import is_exact
from headcount.model.schema import Field
from headcount.query import words
from headcount.query.bitsets import Bits, Places, kernels
from headcount.query.bound import Condition, Holds, InRanges, KeyIn, KeysAll, Present
from headcount.query.estimate import limits
from headcount.query.expressions import FieldValue
from headcount.query.frames import flag_index, index_of, range_index, text_index
from headcount.query.plan import Both, Either, Leaf, Node, Plan
from headcount.query.words import OfBlock, WordTwins

_SMALL = 1 << 17  # rows of a block that roaring bitmaps serve as well
_FEW_SHARE = 64  # a step of an `and` with less than one row in so many leaves little to work on
_RARE_SHARE = 1024  # a value with less than one row in so many is its rows, not words
_MOST_RARE = 4_096  # rows of rare values in one condition
_MOST_KEYS = 256
_MOST_RANGES = 8
_VALUES = 1_024  # of a field whose values are put in the order of frequency
_FORMULAS = 128  # of a block; some 10 KiB each with two ranges
# What is saved by counting in words, and what that costs by itself, in µs for 2^20 rows.
_BITS_SAVE, _LISTS_SAVE, _RANGE_SAVES, _COUNT_COSTS = 5, 20, 50, 12
_LISTED_SHARE = 16  # less than one row in so many is held as lists


class _NoWordsError(Exception):
    """The plan is not to be counted in words, in this block at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """Rows in an odd number of `parts`, those at the `ends` added or taken off."""

    parts: tuple[Bits, ...]
    ends: Places | None


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """Rows in any of the operands, or among `rows`."""

    parts: tuple[Bits, ...]
    others: tuple[Operand, ...]
    rows: Places | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Meet:
    """Rows in all operands and none of the `unwanted`; at least one operand."""

    parts: tuple[Bits, ...]
    others: tuple[Operand, ...]
    unwanted: tuple[Operand, ...]


Operand = Bits | Sum | Union | Meet


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """What a plan's root holds in a block."""

    size: int  # words
    root: Operand

    def count(self, live: Bits | None) -> int:
        """Return how many rows it holds, *live* ones if given."""
        found = _worked_out(self.root, self.size, 0)
        return kernels.count(found) if live is None else kernels.count_both(found, live)


def count(plan: Plan, block: Block, twins: WordTwins) -> int | None:
    """
    Return how many live rows of *block* the root of *plan* holds.

    None where it is not counted in words, or not yet.
    """
    if block.rows < _SMALL or _is_one_range(plan.root):
        return None
    held = twins.of(block)
    key = "formula", id(plan)
    known = held.notes.get(key)
    if isinstance(known, _Known) and known.plan is plan:  # what is held keeps its `id`
        formula = known.formula
    else:
        try:
            maker = _Maker(block, held)
            formula = maker.formula(plan.root)
            if maker.is_waiting:
                return None
        except _NoWordsError:
            formula = None
        if len(held.notes) >= _FORMULAS:
            held.notes.clear()
        held.notes[key] = _Known(plan, formula)
    if formula is None:
        return None
    return formula.count(None if len(block.live) == block.rows else held.live(block.live))


def _is_one_range(node: Node) -> bool:
    return isinstance(node, Leaf) and isinstance(node.condition, InRanges)


def _is_of_fields(node: Node) -> bool:
    """Return whether all conditions are such as may have words; 0.5 µs each."""
    match node:
        case Leaf(
            KeyIn(FieldValue())
            | KeysAll(FieldValue())
            | Holds(FieldValue())
            | Present(FieldValue())
            | InRanges(FieldValue())
        ):
            return True
        case Both(steps):
            return all(_is_of_fields(step.node) for step in steps)
        case Either(items):
            return all(map(_is_of_fields, items))
    return False


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What a plan is in a block; None if it is not to be counted in words."""

    plan: Plan
    formula: Formula | None


class _Maker:
    """
    Makes a formula of a plan in one block.

    `is_waiting` tells that some operand has no words yet; what was made then is of no use.
    """

    def __init__(self, block: Block, held: OfBlock) -> None:
        self._block = block
        self._held = held
        self.is_waiting = False
        self._saved = -_COUNT_COSTS
        self._nothing = Bits(np.zeros(0, dtype=np.uint64))

    def formula(self, root: Node) -> Formula:
        """
        Return the formula of a plan's *root*.

        Raises:
            _NoWordsError: it is not to be counted so.
        """
        if not _is_of_fields(root):
            raise _NoWordsError
        operand, _ = self._operand(root)
        if self._saved <= 0:
            raise _NoWordsError
        return Formula(-(-self._block.rows // 64), operand)

    def _operand(self, node: Node) -> tuple[Operand, int]:
        """Return the operand that a node is, and about how many rows it holds at most."""
        match node:
            case Leaf(condition):
                return self._leaf(condition)
            case Either(items):
                found = [self._operand(item) for item in items]
                return _union([one for one, _ in found]), sum(size for _, size in found)
            case Both(steps):
                wanted, unwanted, sizes = [], [], []
                for step in steps:
                    operand, size = self._operand(step.node)
                    if step.negated:
                        unwanted.append(operand)
                    elif size * _FEW_SHARE < self._block.rows:
                        raise _NoWordsError
                    else:
                        wanted.append(operand)
                        sizes.append(size)
                return _meet(wanted, unwanted), min(sizes)
        raise _NoWordsError

    def _leaf(self, condition: Condition) -> tuple[Operand, int]:
        match condition:
            case KeyIn(FieldValue(field), keys) if not is_exact(field) and len(keys) <= _MOST_KEYS:
                return self._keys(field, keys)
            case KeysAll(FieldValue(field), keys) if len(keys) <= _MOST_KEYS:
                each = [self._keys(field, (key,)) for key in keys]
                return _meet([one for one, _ in each], []), min(size for _, size in each)
            case Holds(FieldValue(field)):
                return self._rows(("true", field), flag_index(self._block, field).true)
            case Present(FieldValue(field)) if not is_exact(field):
                return self._rows(("present", field), index_of(self._block, field).present)
            case InRanges(FieldValue(field), ranges) if len(ranges) <= _MOST_RANGES:
                index = range_index(self._block, field)
                return self._ranges(field, index, [index.ranks(*limits(one)) for one in ranges])
        raise _NoWordsError

    def _rows(self, name: Hashable, rows: BitMap) -> tuple[Operand, int]:
        """Return rows that an index hands out."""
        if self._is_rare(len(rows)):
            return Sum((), Places(bitmaps.to_rows(rows))), len(rows)
        self._count_in(len(rows))
        return self._words(name, lambda: rows), len(rows)

    def _keys(self, field: Field, keys: Collection[str]) -> tuple[Operand, int]:
        """Return the rows with one of some values."""
        index = text_index(self._block, field)
        if isinstance(index, KeywordIndex):
            return self._one_of(field, index, index.dictionary.lookup_all(keys))
        if isinstance(index, KeywordsIndex):
            return self._any_of(field, index, index.dictionary.lookup_all(keys))
        raise _NoWordsError

    def _any_of(self, field: Field, index: KeywordsIndex, codes: list[int]) -> tuple[Operand, int]:
        """Return the rows whose sets have any of *codes*: see `_runs`."""
        postings = index.postings
        parts: list[Operand] = []
        rare: list[int] = []
        total = sum(map(postings.cardinality, codes))
        for run in self._runs(field, index, codes):
            sizes = [postings.cardinality(code) for code in run.codes]
            half = 1 << len(run.codes).bit_length() - 1  # more than half of it, or all
            starts = {0, len(run.codes) - half}
            if run.order is not None and self._operands(sizes) > len(starts):
                self._count_in(*(size for size in sizes if not self._is_rare(size)))
                order, first = run.order, run.start
                parts += [self._stretch(field, postings, order, first + at, half) for at in starts]
                continue
            for code, size in zip(run.codes, sizes, strict=True):
                if self._is_rare(size):
                    rare.append(code)
                else:
                    parts.append(self._value(field, postings, code))
        if sum(map(postings.cardinality, rare)) > _MOST_RARE:
            raise _NoWordsError
        rows = bitmaps.to_rows(postings.union(rare)) if rare else None
        if rows is not None and len(rows):
            return Union(_sorted_out(parts)[0], (), Places(rows)), total
        return _union(parts), total

    def _one_of(self, field: Field, index: KeywordIndex, codes: list[int]) -> tuple[Operand, int]:
        """Return the rows whose value is one of *codes*, each row having one: see `_runs`."""
        postings = index.postings
        parts: list[Bits] = []
        rare: list[Rows] = []
        total = sum(map(postings.cardinality, codes))
        for run in self._runs(field, index, codes):
            sizes = [postings.cardinality(code) for code in run.codes]
            if run.order is not None and self._operands(sizes) > (2 if run.start else 1):
                parts += self._prefix(field, postings, run.order, run.start)
                parts += self._prefix(field, postings, run.order, run.start + len(run.codes))
                self._count_in(*(size for size in sizes if not self._is_rare(size)))
                continue
            for code, size in zip(run.codes, sizes, strict=True):
                if self._is_rare(size):
                    rare.append(bitmaps.to_rows(postings.get(code)))
                else:
                    parts.append(self._value(field, postings, code))
        if sum(map(len, rare)) > _MOST_RARE:
            raise _NoWordsError
        return _sum(parts, rare), total

    def _operands(self, sizes: list[int]) -> float:
        """Return how many operands values of these sizes cost one by one; rare ones are rows."""
        rare = sum(size for size in sizes if self._is_rare(size))
        return rare * _RARE_SHARE / self._block.rows + sum(
            not self._is_rare(size) for size in sizes
        )

    def _runs(
        self, field: Field, index: KeywordIndex | KeywordsIndex, codes: list[int]
    ) -> list[_Run]:
        """Return *codes* as stretches of the order of frequency, if the field has few values."""
        if index.distinct > _VALUES:
            return [_Run(codes, 0, None)]
        key = "order", field
        order = self._held.notes.get(key)
        if not isinstance(order, _Order):
            sizes = [index.postings.cardinality(code) for code in range(index.distinct)]
            order = _Order(sorted(range(index.distinct), key=sizes.__getitem__, reverse=True))
            self._held.notes[key] = order
        ranks = sorted(map(order.ranks.__getitem__, codes))
        runs = groupby(enumerate(ranks), key=lambda one: one[1] - one[0])
        found = ([rank for _, rank in run] for _, run in runs)
        return [_Run([order.codes[rank] for rank in run], run[0], order) for run in found]

    def _prefix(self, field: Field, postings: Postings, order: _Order, size: int) -> list[Bits]:
        """Return the rows that have one of the *size* most frequent values; nothing for 0."""
        if not size:
            return []
        return [self._words(("most", field, size), lambda: postings.union(order.codes[:size]))]

    def _stretch(
        self, field: Field, postings: Postings, order: _Order, start: int, size: int
    ) -> Bits:
        """Return the rows that have any of *size* values that follow each other by frequency."""
        codes = order.codes[start : start + size]
        return self._words(("some", field, start, size), lambda: postings.union(codes))

    def _value(self, field: Field, postings: Postings, code: int) -> Bits:
        self._count_in(postings.cardinality(code))
        return self._words(("value", field, code), lambda: postings.get(code))

    def _ranges(
        self, field: Field, index: RangeIndex, ranks: list[tuple[int, int]]
    ) -> tuple[Operand, int]:
        """Return the rows in one of some ranges, which do not overlap."""
        parts: list[Bits] = []
        ends: list[Rows] = []
        for start, stop in ranks:
            (first, first_rank), (last, last_rank) = index.edge_near(start), index.edge_near(stop)
            if first != last:
                parts += self._below(field, index, first) + self._below(field, index, last)
            for rank, at in ((start, first_rank), (stop, last_rank)):
                ends.append(index.order[min(rank, at) : max(rank, at)])
            self._saved += _RANGE_SAVES
        return _sum(parts, ends), sum(stop - start for start, stop in ranks)

    def _below(self, field: Field, index: RangeIndex, edge: int) -> list[Bits]:
        """Return the rows below an edge; nothing for the first one."""
        rank = int(index.edges[edge])
        if not rank:
            return []
        return [self._words(("below", field, edge), lambda: index.at_ranks(0, rank))]

    def _words(self, name: Hashable, make: Callable[[], BitMap]) -> Bits:
        found = self._held.get(name, make)
        if found is not None:
            return found
        if self._held.is_full:
            raise _NoWordsError
        self.is_waiting = True
        return self._nothing

    def _is_rare(self, size: int) -> bool:
        return size * _RARE_SHARE < self._block.rows

    def _count_in(self, *sizes: int) -> None:
        """Note what is saved by not reading postings of these sizes as roaring bitmaps."""
        for size in sizes:
            is_listed = size * _LISTED_SHARE < self._block.rows
            self._saved += _LISTS_SAVE if is_listed else _BITS_SAVE


class _Order:
    """The codes of a field's values, the most frequent first, and the place of each."""

    def __init__(self, codes: list[int]) -> None:
        self.codes = codes
        self.ranks = {code: rank for rank, code in enumerate(codes)}


@dataclass(frozen=True, slots=True)
class _Run:
    """Codes that follow each other in an order from place `start` on; in no order, if None."""

    codes: list[int]
    start: int
    order: _Order | None


def _sum(parts: list[Bits], ends: list[Rows]) -> Operand:
    if not any(map(len, ends)):
        return parts[0] if len(parts) == 1 else Sum(tuple(parts), None)
    return Sum(tuple(parts), Places(np.concatenate(ends)))


def _union(items: Sequence[Operand]) -> Operand:
    """Return the union of operands."""
    parts, others = _sorted_out(items)
    if len(parts) == 1 and not others:
        return parts[0]
    return Union(parts, others)


def _meet(wanted: Sequence[Operand], unwanted: Sequence[Operand]) -> Operand:
    """Return the intersection of *wanted* operands without the *unwanted*."""
    parts, others = _sorted_out(wanted)
    if not unwanted and len(parts) + len(others) == 1:
        return (*parts, *others)[0]
    return Meet(parts, others, tuple(unwanted))


def _sorted_out(items: Sequence[Operand]) -> tuple[tuple[Bits, ...], tuple[Operand, ...]]:
    """Return those that are words, and those that have to be worked out."""
    parts = tuple(item for item in items if isinstance(item, Bits))
    return parts, tuple(item for item in items if not isinstance(item, Bits))


def _worked_out(operand: Operand, size: int, depth: int) -> Bits:
    """Return the rows of an operand: shared, or in the spare words of *depth*."""
    if isinstance(operand, Bits):
        return operand
    out = words.spare(size, depth)
    match operand:
        case Sum(parts, ends):
            _add_up(parts, out)
            if ends is not None:
                kernels.flip(out, ends)
        case Union(parts, others, rows):
            _join(kernels.unite, parts, others, out, depth)
            if rows is not None:
                kernels.add(out, rows)
        case Meet(parts, others, unwanted):
            _join(kernels.meet, parts, others, out, depth)
            for other in unwanted:
                kernels.take_off(out, _worked_out(other, size, depth + 1))
    return out


def _add_up(parts: tuple[Bits, ...], out: Bits) -> None:
    """Put what is in one of *parts*, or between two, into *out*."""
    if not parts:
        out.words.fill(0)
        return
    kernels.put(out, parts[0])
    for part in parts[1:]:
        kernels.differ(out, part)


def _join(
    how: Callable[[Bits, Bits], None],
    parts: tuple[Bits, ...],
    others: tuple[Operand, ...],
    out: Bits,
    depth: int,
) -> None:
    """Put all operands, joined, into *out*, the spare words of *depth*."""
    size = len(out.words)
    if others:
        _worked_out(others[0], size, depth)
        rest = parts
    elif parts:
        kernels.put(out, parts[0])
        rest = parts[1:]
    else:
        out.words.fill(0)
        rest = ()
    for other in others[1:]:
        how(out, _worked_out(other, size, depth + 1))
    for part in rest:
        how(out, part)
