"""
Crossings: how many rows of a block each two of many conditions share.

    two sets             |A and B|, one call a pair: 2.5 to 5 µs for 2^20 rows
    a list of values     one set for each; no row is in two of them, so what they share adds up
    a range              its field is cut at every bound that is asked for. For each set that meets
                         one, its rows are counted from cut to cut, and all ranges are differences

Cutting a field takes 5 ms for 2^20 rows, counting a set's rows between its cuts 2 ns a row; making
a range as a set and meeting it takes 75 µs. So a field is cut if enough ranges of it are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.keyword import KeywordIndex
from headcount.index.ranges import RangeIndex
from headcount.index.text import TextIndex
from headcount.model.schema import Field
from headcount.query.bound import KeyIn
from headcount.query.evaluate import Check, Evaluation
from headcount.query.expressions import FieldValue
from headcount.query.few import Bounds, Kinds
from headcount.query.frames import range_index, text_index
from headcount.query.plan import Leaf
from headcount.query.results import Results
from headcount.query.settled import is_at_hand
from headcount.query.twins import Twins

Counts = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

CUT_FROM = 64  # ranges of a field
_KEYS = 4  # of a list of values, each with a set of its own
_HELD_BYTES = 64 << 20  # of sets that no index holds, at one time
_LISTED = 8_000  # rows in lists that take longer to look up than as many bits to read


@dataclass(frozen=True, slots=True)
class Asking:
    """Conditions, what is remembered of them, and what ends the work."""

    kinds: Kinds
    results: Results
    twins: Twins
    check: Check


@dataclass(frozen=True, slots=True)
class _Set:
    """Rows of a block, `size` live ones: those in `bits`, or with `inverse` all others."""

    bits: BitMap
    inverse: bool
    size: int


class Crossings:
    """
    The live rows that conditions have in common in one block, of each plan's root: whether all
    others are meant is nobody's business here.
    """

    def __init__(self, block: Block, asking: Asking, nodes: Places) -> None:
        """Look up what indexes know of the conditions at *nodes*, which are those that are met."""
        self._block = block
        self._check = asking.check
        self._sets = _Sets(block, asking)
        kinds = asking.kinds
        count = len(kinds.plans)
        self._parts: list[tuple[int, ...]] = [() for _ in range(count)]  # sets of each condition
        self._cut_of = np.full(count, -1, dtype=np.intp)
        self._cuts: list[_Cut] = []
        wanted = set(nodes.tolist())
        for field, keyed in kinds.keyed.items():
            asked = [(node, keys) for node, keys in keyed.items() if node in wanted]
            for node, places in self._sets.of_keys(field, asked):
                self._parts[node] = places
        others = wanted.intersection(kinds.others)
        for field, bounds in kinds.ranged.items():
            ranges = wanted.intersection(bounds.nodes.tolist())
            if len(ranges) >= CUT_FROM:
                self._cut_of[bounds.nodes] = len(self._cuts)
                self._cuts.append(_Cut(range_index(block, field), bounds))
            else:
                others |= ranges
        for node in sorted(others):
            self._parts[node] = (self._sets.of_plan(node),)

    def sizes(self, nodes: Places) -> Counts:
        """Return how many live rows each condition holds."""
        found = np.zeros(len(nodes), dtype=np.int64)
        for at in np.flatnonzero(self._cut_of[nodes] < 0).tolist():
            found[at] = sum(self._sets.get(place).size for place in self._parts[nodes[at]])
        dead = bitmaps.to_rows(bitmaps.full(self._block.rows) - self._block.live)
        for number, cut in enumerate(self._cuts):
            mine = np.flatnonzero(self._cut_of[nodes] == number)
            found[mine] = cut.sizes(nodes[mine])
            if len(dead):
                found[mine] -= cut.counts(dead, nodes[mine])
        return found

    def shared(self, ones: Places, others: Places) -> Counts:
        """Return how many live rows each of *ones* shares with the one beside it in *others*."""
        found = np.zeros(len(ones), dtype=np.int64)
        is_cut = self._cut_of >= 0
        turned = is_cut[ones] & ~is_cut[others]
        ones, others = np.where(turned, others, ones), np.where(turned, ones, others)
        for node in np.unique(ones[is_cut[ones] & is_cut[others]]).tolist():
            self._parts[node] = (self._sets.of_plan(node),)  # of two ranges one is made a set
        starts = np.cumsum([0, *map(len, self._parts)])
        parts = np.array([place for each in self._parts for place in each], dtype=np.intp)
        sizes = np.diff(starts)
        with_cut = is_cut[others]

        both = np.flatnonzero(~with_cut)
        each = sizes[ones[both]] * sizes[others[both]]
        pair, step = _unfolded(each)
        width = sizes[others[both]][pair]
        first = parts[starts[ones[both]][pair] + step // np.maximum(width, 1)]
        second = parts[starts[others[both]][pair] + step % np.maximum(width, 1)]
        np.add.at(found, both[pair], self._met(first, second))

        crossed = np.flatnonzero(with_cut)
        pair, step = _unfolded(sizes[ones[crossed]])
        first = parts[starts[ones[crossed]][pair] + step]
        np.add.at(found, crossed[pair], self._between(first, others[crossed][pair]))
        return found

    def _met(self, first: Places, second: Places) -> Counts:
        """Return how many rows each two sets share."""
        count = len(self._sets)
        # What costs something is the second of a run of pairs, and worked out once.
        cheap = self._sets.cheap()
        swap = (cheap[second] > cheap[first]) | ((cheap[second] == cheap[first]) & (first > second))
        first, second = np.where(swap, second, first), np.where(swap, first, second)
        pairs, which = np.unique(second * count + first, return_inverse=True)
        seconds, firsts = np.divmod(pairs, max(1, count))
        live, get = len(self._block.live), self._sets.get
        found = np.zeros(len(pairs), dtype=np.int64)
        for run in _runs(seconds):
            self._check()
            one = get(int(seconds[run.start]))
            beside = [get(place) for place in firsts[run].tolist()]
            meet = one.bits.intersection_cardinality
            met = np.fromiter((meet(other.bits) for other in beside), np.int64, len(beside))
            inverse = np.fromiter((other.inverse for other in beside), np.bool_, len(beside))
            size = np.fromiter((other.size for other in beside), np.int64, len(beside))
            if one.inverse:
                found[run] = np.where(inverse, size + one.size - live + met, size - met)
            else:
                found[run] = np.where(inverse, one.size - met, met)
        return found[which]

    def _between(self, sets: Places, ranges: Places) -> Counts:
        """Return how many rows each set has in the range beside it."""
        found = np.zeros(len(sets), dtype=np.int64)
        for number, cut in enumerate(self._cuts):
            at = np.flatnonzero(self._cut_of[ranges] == number)
            at = at[np.argsort(sets[at], kind="stable")]
            whose = sets[at]
            for run in _runs(whose):
                self._check()
                rows = self._sets.rows(int(whose[run.start]))
                found[at[run]] = cut.counts(rows, ranges[at[run]])
        return found


def _unfolded(sizes: Places) -> tuple[Places, Places]:
    """Return for each of so many things a place: whose it is, and its number there, from 0."""
    whose = np.repeat(np.arange(len(sizes)), sizes)
    return whose, np.arange(len(whose)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _runs(values: Places) -> list[slice]:
    """Return the stretches of equal values."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return [slice(start, stop) for start, stop in pairwise(edges) if stop > start]


class _Cut:
    """A field of a block, cut at every bound that is asked for."""

    def __init__(self, index: RangeIndex, bounds: Bounds) -> None:
        ranks = bounds.ranks(index)
        edges = np.unique(np.append(ranks.ravel(), (0, len(index.order))))
        self._ranks = dict(zip(bounds.nodes.tolist(), ranks.tolist(), strict=True))
        places = np.searchsorted(edges, ranks).tolist()
        self._places = dict(zip(bounds.nodes.tolist(), places, strict=True))
        # In which piece each row is; those without a value are in one behind the last.
        self._pieces = len(edges)
        kind = np.uint16 if self._pieces < 1 << 16 else np.uint32
        self._piece = np.full(index.rows, self._pieces - 1, dtype=kind)
        numbers = np.arange(self._pieces - 1, dtype=kind)
        self._piece[index.order] = np.repeat(numbers, np.diff(edges))

    def sizes(self, nodes: Places) -> Counts:
        """Return how many rows, live or not, are in each range."""
        ranks = [self._ranks[node] for node in nodes.tolist()]
        return np.array([stop - start for start, stop in ranks], dtype=np.int64)

    def counts(self, rows: npt.NDArray[np.uint32], nodes: Places) -> Counts:
        """Return how many of *rows* are in each range."""
        inside = np.bincount(self._piece.take(rows), minlength=self._pieces)
        upto = np.concatenate(([0], np.cumsum(inside)))
        places = np.array([self._places[node] for node in nodes.tolist()], dtype=np.intp)
        found: Counts = upto[places[:, 1]] - upto[places[:, 0]]
        return found


class _Sets:
    """The live rows of conditions, or of values in them, in the form that is met the quickest."""

    def __init__(self, block: Block, asking: Asking) -> None:
        self._block = block
        self._asking = asking
        self._all_live = len(block.live) == block.rows
        self._names: list[Hashable] = []
        self._makers: list[Callable[[], BitMap]] = []
        self._cheap: list[bool] = []
        self._held: dict[int, _Set] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._makers)

    def of_keys(
        self, field: Field, keyed: Sequence[tuple[int, frozenset[str]]]
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield the sets that together are a condition on a field; no row is in two of them."""
        if not keyed:
            return
        index = text_index(self._block, field)
        is_single = isinstance(index, KeywordIndex)
        known: dict[str, int] = {}
        for node, keys in keyed:
            if len(keys) > 1 and not (is_single and len(keys) <= _KEYS):
                yield node, (self.of_plan(node),)
                continue
            for key in keys:
                if key not in known:
                    name = KeyIn(FieldValue(field), frozenset((key,)))
                    known[key] = self._new(
                        name, partial(index.equal, (key,)), is_cheap=not _is_text(index)
                    )
            yield node, tuple([known[key] for key in keys])

    def of_plan(self, node: int) -> int:
        """Return the set of a condition as a whole."""
        asking, block = self._asking, self._block
        one = asking.kinds.plans[node]
        assert one is not None
        evaluation = Evaluation(block, one, asking.check, asking.results)
        match one.root:
            case Leaf(condition) if is_at_hand(condition, block):
                return self._new(condition, evaluation.root, is_cheap=True)
        return self._new(None, evaluation.root, is_cheap=False)

    def _new(self, name: Hashable, maker: Callable[[], BitMap], *, is_cheap: bool) -> int:
        self._names.append(name)
        self._makers.append(maker)
        self._cheap.append(is_cheap)
        return len(self._makers) - 1

    def cheap(self) -> npt.NDArray[np.bool_]:
        """Return of which sets an index hands the rows out."""
        return np.array(self._cheap, dtype=np.bool_)

    def rows(self, place: int) -> npt.NDArray[np.uint32]:
        """Return the live rows of a set, ascending."""
        return bitmaps.to_rows(self._live(place))

    def get(self, place: int) -> _Set:
        """Return a set, which is kept for a while."""
        found = self._held.get(place)
        if found is None:
            found = self._made(place)
            if not (self._cheap[place] and self._all_live):
                self._bytes += bitmaps.memory(found.bits)
                if self._bytes > _HELD_BYTES:
                    self._held = {}
                    self._bytes = bitmaps.memory(found.bits)
            self._held[place] = found
        return found

    def _live(self, place: int) -> BitMap:
        rows = self._makers[place]()
        return rows if self._all_live else rows & self._block.live

    def _made(self, place: int) -> _Set:
        rows, block = self._live(place), self._block
        if rows.get_statistics()["n_values_array_containers"] <= _LISTED:
            return _Set(rows, False, len(rows))
        others = None
        if self._all_live and self._cheap[place]:
            others = self._asking.twins.bits(block, self._names[place], rows)
        if others is None:
            solid = bitmaps.solid(block.rows)
            others = (solid if self._all_live else solid & block.live) - rows
        return _Set(others, True, len(rows))


def _is_text(index: object) -> bool:
    return isinstance(index, TextIndex)
