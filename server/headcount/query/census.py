"""
The census: how many contacts each of thousands of segments holds, all of them counted together.

    nothing known      each condition is worked out once a block, and met with those beside it in
                       one call a pair
    another version    before + those among the contacts that changed who fit it now
                              - those who fitted it before
    another instant    conditions that hold the same rows still (`settled`) keep their counts, the
                       segments of others are counted anew

The contacts that changed are few, so all conditions are worked out for them alone, in a small block
of each version, as bits; 10,000 pairs of bits are counted by numpy in 0.3 ms.

Rejected for the count of everything, by estimate: words of 64 rows in numpy (some 15 µs a pair and
million; CRoaring takes 3), and tables of two fields' values by `bincount` (some 5 ms a pair of
fields and million, worth it from a thousand segments on, of no use for labels, times and events).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt

from headcount.index import bitmaps
from headcount.index.bitmaps import Words
from headcount.index.block import Block
from headcount.index.difference import changed
from headcount.index.view import View
from headcount.model.errors import UserError
from headcount.query import evaluate, tree
from headcount.query.bound import All, Any, Bound, Enough
from headcount.query.context import QueryContext
from headcount.query.crossings import Asking, Crossings
from headcount.query.evaluate import Check
from headcount.query.few import Kinds, packed
from headcount.query.forms import Query
from headcount.query.lately import Lately
from headcount.query.names import Known, Seen
from headcount.query.plan import Leaf, Plan, plan
from headcount.query.results import Results
from headcount.query.rewrite import rewritten
from headcount.query.roster import Asked, Pairs, Roster
from headcount.query.settled import settled_whole
from headcount.query.twins import Twins

Counts = npt.NDArray[np.int64]

FEWEST = 64  # segments; fewer are as quickly asked one by one
_ROSTERS = 8  # remembered
_CELLS = 1 << 24  # contacts that changed times conditions; with more, all are counted
_SMALL = 1 << 13  # rows of a block that is looked at as bits
_CHUNK = 1 << 17  # words that are counted at one time


class Asks(Protocol):
    """What a census asks an engine."""

    view: View
    results: Results
    known: Known

    def size_or_error(self, query: Query, context: QueryContext) -> int | UserError:
        """Return how many contacts one segment holds, or why it has no size."""


@dataclass(frozen=True, slots=True)
class _Meant:
    """The conditions of a roster at one instant: None where the engine is asked instead."""

    asked: tuple[Asked | None, ...]
    plans: tuple[Plan | None, ...]
    kinds: Kinds
    as_of: int
    seen: Seen | None  # the labels and lists there were, if some condition names any


@dataclass(frozen=True, slots=True)
class _Standing:
    """What was counted of a roster, in a view and at an instant."""

    view: View
    meant: _Meant
    counts: Counts


class _Kept:
    """A roster with what is known of it, for one time zone."""

    def __init__(self, roster: Roster, known: Known) -> None:
        self.roster = roster
        self.timeless = roster.timeless(known)
        self.meant: _Meant | None = None
        self.standing: _Standing | None = None


class Census:
    """Counts rosters for the engines over versions of a workspace. Any thread may ask."""

    def __init__(self, twins: Twins) -> None:
        self._twins = twins
        self._kept: Lately[object, _Kept] = Lately(2 * _ROSTERS)
        self._lock = Lock()  # held while a roster is made

    def follow(self, view: View) -> None:
        """Let go of views that share no base with *view*, of which nobody else may hold one."""
        first = view.blocks[0].identity if view.blocks else None
        for kept in self._kept.values():
            standing = kept.standing
            blocks = () if standing is None else standing.view.blocks
            if blocks and blocks[0].identity is not first:
                kept.standing = None

    def sizes(
        self, engine: Asks, queries: Sequence[str | tree.Segment], context: QueryContext
    ) -> list[int | UserError]:
        """
        Return for each segment how many live contacts it holds, or why it has no size.

        Raises:
            UserError: `context.check` ended it.
        """
        kept = self._of(queries, engine.known, context)
        meant = self._meant(kept, engine, context)
        counts = self._counts(kept, meant, engine, context)
        found: list[int | UserError] = counts.tolist()
        for place in _unanswered(kept.roster, meant):
            found[place] = engine.size_or_error(kept.roster.queries[place], context)
        return found

    def _of(
        self, queries: Sequence[str | tree.Segment], known: Known, context: QueryContext
    ) -> _Kept:
        # A tree is known by itself: hashing it takes longer than a count.
        asked = tuple(query if isinstance(query, str) else id(query) for query in queries)
        key = asked, context.zone, context.limits
        found = self._kept.get(key)
        if found is None:
            with self._lock:
                found = self._kept.get(key)
                if found is None:
                    found = _Kept(Roster(queries, context.limits), known)
                    self._kept.keep(key, found)
        return found

    def _meant(self, kept: _Kept, engine: Asks, context: QueryContext) -> _Meant:
        """Return what the conditions mean now: timeless ones what they meant before."""
        before, known = kept.meant, engine.known
        every = range(len(kept.roster.nodes))
        if before is not None and (before.seen is None or before.seen == known.seen):
            if before.as_of == context.as_of:
                return before
            asked, plans = list(before.asked), list(before.plans)
            which = np.flatnonzero(~kept.timeless).tolist()
        else:
            asked, plans = [None for _ in every], [None for _ in every]
            which = list(every)
        still = replace(context, as_of=0)
        for node in which:
            at = still if kept.timeless[node] else context
            try:
                found = kept.roster.bound(node, known, at)
            except UserError:  # said to the users of the segments that ask it, each in its place
                asked[node] = plans[node] = None
            else:
                asked[node] = found
                plans[node] = _planned(found.bound, plans[node], engine.view)
        names = any(one is not None and one.seen is not None for one in asked)
        # One that is refused may be valid once there are other labels.
        looked = names or None in asked
        seen = known.seen if looked else None
        meant = _Meant(tuple(asked), tuple(plans), Kinds(plans), context.as_of, seen)
        kept.meant = meant
        return meant

    def _counts(self, kept: _Kept, meant: _Meant, engine: Asks, context: QueryContext) -> Counts:
        view, roster = engine.view, kept.roster
        standing = kept.standing if engine.results.capacity else None
        full = _Full(view, Asking(meant.kinds, engine.results, self._twins, context.check))
        counts = None
        if standing is not None:
            if standing.view is view and standing.meant is meant:
                return standing.counts
            counts = _followed(standing, meant, view, roster, full, context.check)
        if counts is None:
            counts = full.counts(roster.pairs)
        if engine.results.capacity:
            kept.standing = _Standing(view, meant, counts)
        return counts


def _planned(bound: Bound, before: Plan | None, view: View) -> Plan:
    """Return a plan; that of *before* at another instant, if it is of one condition in both."""
    if before is not None and isinstance(before.root, Leaf):
        condition, negated = rewritten(bound.condition)
        if not isinstance(condition, All | Any | Enough):
            root = replace(before.root, condition=condition)
            return replace(before, root=root, negated=negated, clock=bound.clock)
    return plan(bound, view)


def _unanswered(roster: Roster, meant: _Meant) -> list[int]:
    """Return the places of segments that are to be asked one by one."""
    lacking = np.fromiter((one is None for one in meant.plans), np.bool_, len(meant.plans))
    found = set(roster.refused)
    if lacking.any():
        pairs = roster.pairs
        found.update(np.flatnonzero(lacking[pairs.first] | lacking[pairs.second]).tolist())
    return sorted(found)


# --- what is known already --------------------------------------------------------------------


def _followed(
    standing: _Standing, meant: _Meant, view: View, roster: Roster, full: _Full, check: Check
) -> Counts | None:
    """Return the counts in another view or at another instant; None if all are to be counted."""
    before = standing.view
    ordinals = np.zeros(0, dtype=np.int64)
    if view is not before:
        found = changed(before, view)
        if found is None or len(found) * len(meant.plans) > _CELLS:
            return None
        ordinals = found
    other = _others(standing.meant, meant, before)
    counts = standing.counts
    if len(ordinals):
        counts = counts + _among(view.extract(ordinals), meant.kinds, roster.pairs, check)
        counts -= _among(before.extract(ordinals), meant.kinds, roster.pairs, check)
    if other.any():
        pairs = roster.pairs
        again = np.flatnonzero(other[pairs.first] | other[pairs.second])
        counts = counts.copy()
        counts[again] = full.counts(pairs.take(again))
    return counts


def _others(before: _Meant, after: _Meant, view: View) -> npt.NDArray[np.bool_]:
    """Return which conditions may hold other rows of a view than they did."""
    found = np.zeros(len(after.plans), dtype=np.bool_)
    for node, (old, new) in enumerate(zip(before.asked, after.asked, strict=True)):
        if old is not new:
            found[node] = old is None or new is None or not _is_same(old, new, view)
    return found


def _is_same(old: Asked, new: Asked, view: View) -> bool:
    """Return whether a condition holds the same rows of a view at two instants."""
    one, other = old.bound, new.bound
    if one.clock.today != other.clock.today:
        return False
    if one.condition == other.condition:
        return True
    return all(
        settled_whole(one.condition, block) == settled_whole(other.condition, block)
        for block in view.blocks
    )


# --- few contacts -----------------------------------------------------------------------------


def _among(view: View, kinds: Kinds, pairs: Pairs, check: Check) -> Counts:
    """Return how many contacts of a small view each segment holds."""
    counts = np.zeros(len(pairs), dtype=np.int64)
    for block in view.blocks:
        counts += _few_counts(block, kinds, pairs, check)
    return counts


def _few_counts(block: Block, kinds: Kinds, pairs: Pairs, check: Check) -> Counts:
    """Return how many live rows of a small block each segment holds."""
    if not block.live:
        return np.zeros(len(pairs), dtype=np.int64)
    held = packed(kinds.hold(block, check))
    live = packed(bitmaps.to_mask(block.live, block.rows)[np.newaxis])[0]
    return _pair_counts(held, live, pairs)


def _pair_counts(held: Words, live: Words, pairs: Pairs) -> Counts:
    """Return how many of the *live* rows each pair of sets holds."""
    counts = np.empty(len(pairs), dtype=np.int64)
    both = np.concatenate((held, ~held)) & live
    first = pairs.first + len(held) * pairs.first_out
    second = pairs.second + len(held) * pairs.second_out
    step = max(1, _CHUNK // len(live))
    for start in range(0, len(pairs), step):
        at = slice(start, start + step)
        shared = both[first[at]] & both[second[at]]
        counts[at] = np.bitwise_count(shared).sum(axis=1, dtype=np.int64)
    total = int(np.bitwise_count(live).sum(dtype=np.int64))
    counts[pairs.out] = total - counts[pairs.out]
    return counts


# --- all contacts -----------------------------------------------------------------------------


class _Full:
    """Counts segments in all blocks of a view."""

    def __init__(self, view: View, asking: Asking) -> None:
        self._view = view
        self._asking = asking
        self._plans = asking.kinds.plans

    def counts(self, pairs: Pairs) -> Counts:
        """Return how many live contacts each pair of conditions holds, 0 of what has no plan."""
        lacking = np.fromiter((one is None for one in self._plans), np.bool_, len(self._plans))
        counts = np.zeros(len(pairs), dtype=np.int64)
        usable = ~(lacking[pairs.first] | lacking[pairs.second])
        is_alone = (pairs.first == pairs.second) & (pairs.first_out == pairs.second_out)
        alone = np.flatnonzero(is_alone & usable)
        both = np.flatnonzero(~is_alone & usable)
        counts[alone] = self._alone(pairs.take(alone))
        counts[both] = self._both(pairs.take(both))
        return counts

    def _alone(self, pairs: Pairs) -> Counts:
        """Return the counts of segments that are one condition."""
        asking, sizes = self._asking, np.zeros(len(self._plans), dtype=np.int64)
        for node in np.unique(pairs.first).tolist():
            one = self._plans[node]
            assert one is not None
            sizes[node] = evaluate.count(one, self._view, asking.check, asking.results)
        counts: Counts = sizes[pairs.first]
        out = pairs.out != pairs.first_out
        counts[out] = self._view.live_count - counts[out]
        return counts

    def _both(self, pairs: Pairs) -> Counts:
        """Return the counts of segments that are two conditions."""
        counts = np.zeros(len(pairs), dtype=np.int64)
        large = []
        for block in self._view.blocks:
            if block.rows * len(self._plans) <= _CELLS and block.rows <= _SMALL:
                counts += _few_counts(block, self._asking.kinds, pairs, self._asking.check)
            else:
                large.append(block)
        if not large or not len(pairs):
            return counts
        # Pairs of the same two conditions are one, whatever their signs.
        low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
        together, which = np.unique(low * len(self._plans) + high, return_inverse=True)
        ones, others = np.divmod(together, len(self._plans))
        nodes = np.union1d(ones, others)
        shared, sizes = np.zeros(len(together), np.int64), np.zeros(len(self._plans), np.int64)
        for block in large:
            crossings = Crossings(block, self._asking, nodes)
            shared += crossings.shared(ones, others)
            sizes[nodes] += crossings.sizes(nodes)
        return counts + self._signed(pairs, shared[which], sizes, sum(len(b.live) for b in large))

    def _signed(self, pairs: Pairs, both: Counts, sizes: Counts, live: int) -> Counts:
        """Return the counts of pairs with their signs, from what roots of plans share."""
        negated = self._asking.kinds.negated
        first_out = pairs.first_out ^ negated[pairs.first]
        second_out = pairs.second_out ^ negated[pairs.second]
        one, other = sizes[pairs.first], sizes[pairs.second]
        # |not A and B| = |B| - |A and B|, and so on.
        counts = np.where(first_out, other - both, both)
        one = np.where(first_out, live - one, one)
        counts = np.where(second_out, one - counts, counts)
        return np.where(pairs.out, live - counts, counts)
