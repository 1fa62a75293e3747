"""
Rests: what the parts of an `and` hold without one of them, which is being edited.

Whoever types a number into one condition of ten asks at every keystroke what each of the ten
decides. The other nine stay as they are, so what they hold together, and whom each of the nine
alone keeps out of that, is worked out once and remembered; the tenth then meets ten small sets:

    in_all     those who fit all nine
    kept[i]    those who fit all of the nine but part i

    the segment                 in_all & the tenth
    who comes in without i      kept[i] & the tenth
    ... without the tenth       in_all, but not the tenth

An `or` is the `and` of complements, see `survey`. Which part is edited, `Edits` knows from the
segments that were asked before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import NamedTuple, Protocol

from pyroaring import BitMap

from headcount.index.block import Block
from headcount.query.results import Recall
from headcount.query.sides import ALL, Side, both, common, either, others

FEWEST = 3  # parts; the rest of two is a single one

_MOST = 4_096  # segments, and segments without a part, that are known


class Edits:
    """
    Which part of a segment is being edited, by what was asked before. Any thread may ask.

    It is told by hashes alone, so it may be wrong; which makes an answer slower, and nothing else.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # Sums of the hashes of parts → whether another part beside them was edited.
        self._asked: OrderedDict[int, bool] = OrderedDict()  # guarded by the lock

    def place(self, hashes: Sequence[int]) -> int | None:
        """
        Return the place of the part that is edited; None of what was never asked, or just so.

        *hashes* are those of the parts as they are written.
        """
        whole = sum(hashes)
        rests = [whole - one for one in hashes]
        with self._lock:
            known = [self._asked.get(rest) for rest in rests]
            place = None
            if True in known:
                place = known.index(True)
            elif False in known and whole not in self._asked:
                place = known.index(False)
            for each in (whole, *rests):
                self._asked.setdefault(each, False)
            if place is not None:
                self._asked[rests[place]] = True
                self._asked.move_to_end(rests[place])
            while len(self._asked) > _MOST:
                self._asked.popitem(last=False)
        return place


class Others(Protocol):
    """For each part of an `and`: those who are in all others."""

    def whole(self) -> Side:
        """Return those who are in all parts."""

    def of(self, place: int) -> Side:
        """Return those who are in all parts but one."""

    def kept(self, place: int) -> int:
        """Return how many are in all parts but one, and not in that."""


class EachOthers:
    """The others of each of some sides, worked out one by one."""

    def __init__(self, among: Side, given: Sequence[Side], live: int) -> None:
        self._given = given
        self._live = live
        self._each = others(among, given, live)

    def whole(self) -> Side:
        """Return those in all sides."""
        least = min(range(len(self._each)), key=lambda place: self._each[place].size(self._live))
        return both(self._each[least], self._given[least])

    def of(self, place: int) -> Side:
        """Return those in all sides but one."""
        return self._each[place]

    def kept(self, place: int) -> int:
        """Return how many are in all sides but one, and not in that."""
        return common(self._each[place], self._given[place].inverse(), self._live)


class Rest(NamedTuple):
    """Those `in_all` of some sides; and for each of them those `kept` out by it alone."""

    in_all: Side
    kept: tuple[Side, ...]

    def within(self, live: BitMap) -> Rest:
        """Return the same of *live* rows."""
        return Rest(_within(self.in_all, live), tuple(_within(side, live) for side in self.kept))


class EditOthers:
    """The others of each part while one of them is edited; see `EachOthers`."""

    def __init__(self, rest: Rest, edited: int, new: Side, live: int) -> None:
        self._rest = rest
        self._edited = edited
        self._new = new
        self._live = live

    def whole(self) -> Side:
        """Return those in all parts."""
        return both(self._rest.in_all, self._new)

    def of(self, place: int) -> Side:
        """Return those in all parts but one."""
        if place == self._edited:
            return self._rest.in_all
        return both(either(self._rest.in_all, self._kept(place)), self._new)

    def kept(self, place: int) -> int:
        """Return how many are in all parts but one, and not in that."""
        if place == self._edited:
            return common(self._rest.in_all, self._new.inverse(), self._live)
        return common(self._kept(place), self._new, self._live)

    def _kept(self, place: int) -> Side:
        return self._rest.kept[place - (place > self._edited)]


def rest_of(
    outs: Sequence[bool],
    make: Callable[[], Sequence[Side]],
    asked: Hashable,
    recall: Recall,
    block: Block,
) -> Rest:
    """
    Return the rest of some sides, live or not, remembered under what they *asked* of the block.

    *make* returns the sides if they are needed, *outs* are theirs. Wherever *asked* is equal, the
    sides must be.
    """
    key = "rest", asked
    found = recall.sets(key)
    if found is None:
        sides = make()
        each = others(ALL, sides, block.rows)
        in_all = both(each[0], sides[0])
        kept = [both(other, side.inverse()) for other, side in zip(each, sides, strict=True)]
        found = (in_all.rows, *(side.rows for side in kept))
        recall.keep_sets(key, found)
    # An intersection is those who are not in its rows if all that is intersected is so.
    rows, count = iter(found), sum(outs)
    in_all = Side(next(rows), count == len(outs))
    kept_out = [not out and count == len(outs) - 1 for out in outs]
    return Rest(in_all, tuple(Side(held, out) for held, out in zip(rows, kept_out, strict=True)))


def _within(side: Side, live: BitMap) -> Side:
    return Side(side.rows & live, side.out)
