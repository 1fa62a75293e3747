"""
Evaluation: a plan worked out block by block, the whole of it in one block before the next.

A block's bitmaps are at most 128 KiB each, so what one step leaves behind is still in the cache
when the next one reads it. The last step of a count is a cardinality, which makes no bitmap.
Bitmaps that come from an index are shared and never changed; every operator here makes a new one.

An expensive condition under an `and` is worked out for the contacts left by the steps before it:
`among` are the only rows its answer is used for, and it may say anything about others. Rows of
deleted contacts may turn up anywhere; they are removed at the root, once.

Nothing here can fail by the user's doing: `bind` saw to that. `check` may end the query.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps, hashing
from headcount.index.bitmaps import EMPTY, Rows
from headcount.index.block import Block
from headcount.index.ids import IdColumn
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.text import TextIndex
from headcount.index.view import View
from headcount.model import fold
from headcount.model.fold import is_exact
from headcount.model.schema import Field
from headcount.query import quotients, singles, wordwise
from headcount.query.bound import (
    Always,
    Condition,
    EventCount,
    Follows,
    Holds,
    InRanges,
    KeyIn,
    KeysAll,
    Matches,
    Present,
    Sampled,
)
from headcount.query.days import calendar_rows
from headcount.query.estimate import limits
from headcount.query.expressions import Arithmetic, EventAggregate, FieldValue
from headcount.query.figures import Figures
from headcount.query.frames import ContactFrame, flag_index, index_of, range_index, text_index
from headcount.query.masks import in_ranges, mask
from headcount.query.plan import Both, Either, Leaf, Node, Plan, Several, Step, leaves
from headcount.query.results import OFF, Results
from headcount.query.sequences import following
from headcount.query.settled import Askings, is_at_hand, settled
from headcount.query.words import WordTwins
from headcount.query.workers import ALONE, Workers

Check = Callable[[], None]

_FEW_SHARE = 8  # with less than one row in so many left, values are taken for those rows only
_MANY_RANGES = 200  # each costs 60 µs, reading every value 15 ms
_FEW_TEXTS_SHARE = 32  # the same for texts, which cost more to take than to read in place
_MANY_STEPS = 3  # of an `and`; from here on their order matters
_FEW_KEYS = 8  # values of a list that is taken apart
_FEW_VALUES_SHARE = 256  # the same for a range, which its index hands out in 60 µs
_LARGE_BLOCK = 1 << 17  # rows from which a block is worth another thread
_FEWEST_VALUES_SHARE = 4096  # the same where that would be remembered, and useful to others


def count(
    plan: Plan,
    view: View,
    check: Check,
    results: Results = OFF,
    twins: WordTwins | None = None,
    workers: Workers = ALONE,
) -> int:
    """
    Return how many live contacts *plan* holds; *check* is called before each block.

    *workers* help where a step is long, and then *check* is called in their threads too.
    """

    def counted(block: Block) -> int:
        check()
        return count_in(block, plan, check, results, twins)

    if workers.threads > 1 and _is_shared_out(plan, view):
        return sum(workers.each(counted, view.blocks))
    return sum(map(counted, view.blocks))


def _is_shared_out(plan: Plan, view: View) -> bool:
    """Return whether further threads are of use: for long steps, in more than one large block."""
    if sum(block.rows >= _LARGE_BLOCK for block in view.blocks) < 2:
        return False
    return any(_is_long(leaf.condition) for leaf in leaves(plan.root))


def _is_long(condition: Condition) -> bool:
    """
    Return whether a condition spends its time in few long calls of numpy.

    As measured for 10M contacts on two threads: sequences take 0.6 to 0.75 of the time, quotients
    0.8. Others gain nothing, or lose (arithmetic in doubles 1.2, `month` 1.4): each of their many
    calls of 10 to 30 µs has to wait for the interpreter's lock again.
    """
    match condition:
        case Follows() | InRanges(Arithmetic("/", FieldValue(), FieldValue())):
            return True
    return False


def count_in(
    block: Block, plan: Plan, check: Check, results: Results = OFF, twins: WordTwins | None = None
) -> int:
    """Return how many live contacts of a block *plan* holds."""
    found = None if twins is None else wordwise.count(plan, block, twins)
    if found is None:
        found = Evaluation(block, plan, check, results).count()
    return len(block.live) - found if plan.negated else found


def members(
    plan: Plan, view: View, check: Check, first: int = 0, results: Results = OFF
) -> Iterator[tuple[Block, BitMap]]:
    """
    Yield each block from number *first* on, with the live rows that *plan* holds in it.

    The bitmap may be shared: it is not to be changed.
    """
    for block in view.blocks[first:]:
        check()
        found = Evaluation(block, plan, check, results).members()
        yield block, block.live - found if plan.negated else found


class Evaluation:
    """
    One plan in one block.

    `recalled` and `worked_out` are how many conditions were remembered in *results*, and how many
    were not, those aside that an index hands out as they are.
    """

    def __init__(
        self,
        block: Block,
        plan: Plan,
        check: Check,
        results: Results = OFF,
        asked_again: Container[Condition] = (),
        askings: Askings | None = None,
    ) -> None:
        """
        Take conditions that are *asked_again*: they are worked out for all rows, once.

        *askings* knows what conditions ask of the block.
        """
        self._block = block
        self._asked_again = asked_again
        self._plan = plan
        self._check = check
        self._all_live = len(block.live) == block.rows
        self._found: dict[Node, BitMap] = {}
        self._missed: dict[int, Hashable] = {}  # what is not remembered, by its condition's `id`
        self._askings = askings
        self.recall = self._recall = results.of(block, plan.clock)
        self.recalled = self.worked_out = 0
        self._figures = Figures(block, plan.clock, self._recall)
        self._frame = ContactFrame(block, plan.clock, self._figures)

    def count(self) -> int:
        """Return how many live rows the plan's root holds."""
        root = self._plan.root
        match root:
            case Leaf(KeyIn(FieldValue(field), keys)) if not is_exact(field):
                index = text_index(self._block, field)
                if isinstance(index, KeywordIndex):
                    return index.count_equal(keys, self._block.live)
        if not self._all_live:
            return self.rows(root).intersection_cardinality(self._block.live)
        match root:
            case Leaf(InRanges(FieldValue(field), (range_,))):
                return range_index(self._block, field).count_between(*limits(range_))
            case Leaf(EventCount() as condition) if self._recall is None:
                self.worked_out += 1
                return self._figures.count(condition)
            case Both():
                return self._count_both(root)
            case Either(items) if len(items) == 2:
                return self.rows(items[0]).union_cardinality(self.rows(items[1]))
        return len(self.rows(root))

    def root(self) -> BitMap:
        """Return the rows that the plan's root holds, live or not, maybe shared."""
        return self.rows(self._plan.root)

    def members(self) -> BitMap:
        """Return the live rows that the plan's root holds, maybe shared."""
        found = self.root()
        return found if self._all_live else found & self._block.live

    def rows(self, node: Node, among: BitMap | None = None) -> BitMap:
        """
        Return the rows that *node* holds, maybe shared.

        Only those *among* the given rows are right; all of them when None.
        """
        if node not in self._plan.shared:
            return self._rows(node, among)
        found = self._found.get(node)
        if found is None:
            found = self._found[node] = self._rows(node, None)
        return found

    def _rows(self, node: Node, among: BitMap | None) -> BitMap:
        match node:
            case Leaf(condition, estimate):
                if estimate.is_heavy:
                    self._check()
                return self.condition(condition, among)
            case Both():
                return self._both(node, len(node.steps), among)
            case Either(items):
                return self._either(items, among)
            case Several():
                return self._several(node)

    def condition(self, condition: Condition, among: BitMap | None = None) -> BitMap:
        """
        Return the rows of a condition that is no `and`, `or`, `not` or count, maybe shared.

        Of what was only looked at *among* some rows, nothing is remembered.
        """
        if is_at_hand(condition, self._block):
            return self._leaf(condition, among)
        if self._recall is None:
            self.worked_out += 1
            return self._leaf(condition, among)
        asked = self._missed.pop(id(condition), None)
        if asked is None:
            asked = self.asked(condition)
            found = self._recall.get(asked)
            if found is not None:
                self.recalled += 1
                return found
        found = self._leaf(condition, among)
        self.worked_out += 1
        if self._is_for_all(condition, among):
            self._recall.keep(asked, found)
        return found

    def asked(self, condition: Condition) -> Hashable:
        """Return what such a condition asks of the block; its rows are remembered under that."""
        if self._askings is None:
            return settled(condition, self._block)
        return self._askings.of(condition, self._block)

    def _both(self, node: Both, steps: int, among: BitMap | None) -> BitMap:
        """Return the rows in the first *steps* of *node*."""
        if self._recall is not None and steps >= _MANY_STEPS:
            return self._both_known_first(node.steps[:steps], among)
        left = self.rows(node.steps[0].node, among)
        for step in node.steps[1:steps]:
            if not left:
                return EMPTY
            found = self.rows(step.node, left)
            left = left - found if step.negated else left & found
        return left

    def _both_known_first(self, steps: Sequence[Step], among: BitMap | None) -> BitMap:
        """
        Return the rows in all of *steps*: known ones first, the fewest first, then in their order.

        The plan's order is that of what nothing is known of. When nine conditions of ten are
        remembered, the smallest of them leave next to nothing: of 7 ms for 10M contacts 2 less.
        """
        found = [(self._known(step.node), step) for step in steps]
        rest = [step for rows, step in found if rows is None]
        kept = [rows for rows, step in found if rows is not None and not step.negated]
        if kept:
            left, *others = sorted(kept, key=len)
            for rows in others:
                if not left:
                    return EMPTY
                left = left & rows
        else:  # the first step is never negated, so it is the first of the rest
            left = self.rows(rest.pop(0).node, among)
        for known, step in found:
            if known is not None and step.negated and left:
                left = left - known
        for step in rest:
            if not left:
                return EMPTY
            other = self.rows(step.node, left)
            left = left - other if step.negated else left & other
        return left

    def _known(self, node: Node) -> BitMap | None:
        """Return the rows of *node* if an index hands them out or they are remembered, shared."""
        if not isinstance(node, Leaf) or node in self._plan.shared:
            return self._found.get(node)
        if is_at_hand(node.condition, self._block):
            return self._leaf(node.condition, None)
        if self._recall is None:
            return None
        asked = self.asked(node.condition)
        found = self._recall.get(asked)
        if found is None:
            self._missed[id(node.condition)] = asked
        else:
            self.recalled += 1
        return found

    def _count_both(self, node: Both) -> int:
        if self._recall is not None and len(node.steps) >= _MANY_STEPS:
            return len(self._both_known_first(node.steps, None))
        left = self._both(node, len(node.steps) - 1, None)
        if not left:
            return 0
        last = node.steps[-1]
        match last.node:
            case Leaf(InRanges() as condition) if self._is_narrowed(condition, left):
                if last.node not in self._plan.shared:
                    count = len(self._among(condition, left))
                    return len(left) - count if last.negated else count
        found = self.rows(last.node, left)
        if last.negated:
            return left.difference_cardinality(found)
        return left.intersection_cardinality(found)

    def _either(self, items: tuple[Node, ...], among: BitMap | None) -> BitMap:
        """Return the union of *items*, lists of values taken apart: one union of all is faster."""
        parts: list[BitMap] = []
        for item in items:
            match item:
                case Leaf(KeyIn(FieldValue(field), keys)) if self._is_parted(item, field):
                    index = text_index(self._block, field)
                    parts += [index.equal((key,)) for key in keys]
                case _:
                    parts.append(self.rows(item, among))
        if among is not None and len(among) * _FEW_SHARE <= self._block.rows:
            parts = [part & among for part in parts]
        return BitMap.union(*parts)

    def _is_parted(self, item: Leaf, field: Field) -> bool:
        """Return whether a list of values is of a few postings, and not worth remembering."""
        if self._recall is not None or item in self._plan.shared or is_exact(field):
            return False
        if not isinstance(text_index(self._block, field), KeywordIndex):
            return False
        assert isinstance(item.condition, KeyIn)
        return len(item.condition.keys) <= _FEW_KEYS

    def _several(self, node: Several) -> BitMap:
        """Return the rows in at least so many of the steps."""
        total = np.zeros(self._block.rows, dtype=np.uint16)
        for step in node.steps:
            held = bitmaps.to_mask(self.rows(step.node), self._block.rows)
            total += ~held if step.negated else held
        return bitmaps.from_mask(total >= node.count)

    def _leaf(self, condition: Condition, among: BitMap | None) -> BitMap:
        match condition:
            case KeyIn(FieldValue(field), keys):
                if is_exact(field):
                    return self._block.ids.equal(keys)
                return text_index(self._block, field).equal(keys)
            case InRanges(FieldValue(field), ranges):
                if among is not None and self._is_narrowed(condition, among):
                    return bitmaps.from_sorted(self._among(condition, among))
                index = range_index(self._block, field)
                if len(ranges) > _MANY_RANGES:
                    held = in_ranges(index.vector().values, ranges)
                    return bitmaps.from_mask(held) & index.present
                found = [index.between(*limits(r)) for r in ranges]
                return found[0] if len(found) == 1 else BitMap.union(*found)
            case EventCount():
                return self._figures.with_count(condition)
            case Present(FieldValue(field)):
                if is_exact(field):
                    return bitmaps.full(self._block.rows)
                return index_of(self._block, field).present
            case Holds(FieldValue(field)):
                return flag_index(self._block, field).true
            case Matches():
                return self._matches(condition, among)
            case KeysAll(FieldValue(field), keys):
                sets = text_index(self._block, field)
                assert isinstance(sets, KeywordsIndex)
                return sets.all_of(keys)
            case Always(truth):
                return bitmaps.full(self._block.rows) if truth else EMPTY
            case Sampled():
                return self._sampled(condition)
            case Follows():
                size = self._block.rows
                return following(condition, self._figures, self._plan.clock, size)
        return self._computed(condition, among)

    def _matches(self, condition: Matches, among: BitMap | None) -> BitMap:
        """Return the rows whose text fits; of few candidates, by reading theirs alone."""
        assert isinstance(condition.value, FieldValue)
        field, pattern = condition.value.field, condition.pattern
        index = self._block.ids if is_exact(field) else text_index(self._block, field)
        if among is None or not self._is_narrowed(condition, among):
            return index.match(pattern)
        rows = bitmaps.to_rows(among)
        texts: pa.StringArray = self._frame.among(rows).texts(field)
        return bitmaps.from_sorted(rows[pattern.test(texts, fold.keys(texts, field))])

    def _among(self, condition: InRanges, among: BitMap) -> Rows:
        """Return those of a few rows whose value is in a range, by reading them."""
        match condition:
            case InRanges(FieldValue(field), (range_,)):
                return range_index(self._block, field).among(among, *limits(range_))
        rows: Rows = bitmaps.to_rows(among)
        found: Rows = rows[mask(condition, self._frame.among(rows))]
        return found

    def _is_for_all(self, condition: Condition, among: BitMap | None) -> bool:
        """Return whether what was found is right for every row."""
        return not self._is_narrowed(condition, among)

    def _is_narrowed(self, condition: Condition, among: BitMap | None) -> bool:
        """Return whether only the candidates *among* are looked at, because they are few."""
        if among is None:
            return False
        match condition:
            case KeyIn() | KeysAll() | EventCount() | Follows() | Sampled() | Always():
                return False
            case InRanges(FieldValue(), ranges):
                share = _FEW_VALUES_SHARE if self._recall is None else _FEWEST_VALUES_SHARE
                return len(among) * share <= self._block.rows and len(ranges) == 1
            case Present(FieldValue()) | Holds(FieldValue()):
                return False
            case Matches(FieldValue(field)):
                index = self._block.ids if is_exact(field) else text_index(self._block, field)
                is_listed = isinstance(index, IdColumn | TextIndex)
                few = is_listed and len(among) * _FEW_TEXTS_SHARE <= self._block.rows
            case _:
                few = len(among) * _FEW_SHARE <= self._block.rows
        return few and condition not in self._asked_again

    def _sampled(self, condition: Sampled) -> BitMap:
        salt = hashing.fnv1a64_bytes(condition.salt.encode())
        hashes = hashing.fmix64(self._block.ids.fnv1a ^ np.uint64(salt))
        return bitmaps.from_mask(hashes < np.uint64(condition.threshold))

    def _computed(self, condition: Condition, among: BitMap | None) -> BitMap:
        """Return the rows that fit a condition on a computed value."""
        if among is None or not self._is_narrowed(condition, among):
            match condition:
                case InRanges(EventAggregate() as figure, ranges):
                    return self._figures.with_figure(figure, ranges)
            quick = calendar_rows(condition, self._block, self._plan.clock)
            if quick is None:
                quick = quotients.rows_of(condition, self._block)
            if quick is None:
                quick = singles.rows_of(condition, self._frame)
            return bitmaps.from_mask(mask(condition, self._frame)) if quick is None else quick
        rows: Rows = bitmaps.to_rows(among)
        return bitmaps.from_sorted(rows[mask(condition, self._frame.among(rows))])
