"""
Audiences: whom a message may be sent to, and what became of everybody else.

    matched       in any segment that is included
    excluded      ... and in any that is excluded
    not active    ... whose status is neither Active nor Hard Bounce, or who have none
    opted out     ... who asked to hear no more from a list that is respected
    suppressed    ... who are on the workspace's suppression list
    hard bounce   ... whose status is Hard Bounce
    sendable      everybody who is left

Each contact is counted at the first step that takes it out, so the numbers add up. No definition
turns a step off: an audience has no switches, and segments only decide who is matched or excluded.

The lists that are respected are the one that the message goes out on, and every list that brings
people in: an `in list` that is not negated anywhere in what is included, in saved segments too.
That leaves out somebody who opted out of one such list and is on another; to write to whoever has
asked not to be written to is the worse mistake.

All is worked out block by block, from one view and at one instant, and the sendable rows are kept
(a bit a contact, at most), so that those who are sent to are those who were counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import Protocol
from weakref import WeakKeyDictionary

from pyroaring import BitMap

from headcount.index.bitmaps import EMPTY
from headcount.index.block import LISTS, Block
from headcount.index.ids import IdColumn
from headcount.model.errors import Reason, UserError
from headcount.model.fold import field_key, key
from headcount.query import lint, tree
from headcount.query.bound import QueryWarning
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query, tree_of
from headcount.query.format import format as canonical
from headcount.query.limits import Limits
from headcount.query.names import Known
from headcount.query.saved import Saved, memberships, with_used
from headcount.query.tree import children
from headcount.query.whole import Wholes

MOST_SOURCES = 1_000

Queries = Query | list[Query] | tuple[Query, ...]


class Step(StrEnum):
    """What takes contacts out of an audience, in this order."""

    EXCLUDED = "excluded"
    NOT_ACTIVE = "not active"
    OPTED_OUT = "opted out of the list"
    SUPPRESSED = "suppressed"
    HARD_BOUNCE = "hard bounce"


@dataclass(frozen=True, slots=True)
class StepCount:
    """How many contacts a step took out of those that the steps before had left, and who stays."""

    step: Step
    removed: int
    left: int


@dataclass(frozen=True, slots=True)
class Audience:
    """
    Who is meant: those in any of `include` and in none of `exclude`.

    `on_list` is the list that the message goes out on; None when it goes out on none.
    """

    include: tuple[Query, ...]
    exclude: tuple[Query, ...] = ()
    on_list: str | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """
    An audience in numbers; those of `steps` are in order, and each is there.

    `without_status` of those taken out as not active have no status at all. `include` and `exclude`
    are canonical texts, `lists` the lists whose opt-outs were respected, `saved` the names and
    texts of the saved segments that were used.
    """

    matched: int
    steps: tuple[StepCount, ...]
    without_status: int
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    lists: tuple[str, ...]
    saved: tuple[tuple[str, str], ...]
    warnings: tuple[QueryWarning, ...]

    @property
    def sendable(self) -> int:
        """Return how many contacts may be sent to."""
        return self.steps[-1].left

    def removed(self, step: Step) -> int:
        """Return how many contacts *step* took out."""
        return next(one.removed for one in self.steps if one.step is step)


@dataclass(frozen=True, slots=True)
class Resolved:
    """An audience's funnel, and its sendable rows by block; they are not to be changed."""

    funnel: Funnel
    members: tuple[tuple[Block, BitMap], ...]


class Suppression(Protocol):
    """Who is never written to, whatever a definition says."""

    def rows(self, ids: IdColumn) -> BitMap:
        """Return the rows of a block whose ids are suppressed; dead rows may be among them."""


def audience_of(include: Queries, exclude: Queries, on_list: str | None) -> Audience:
    """Return an audience; one segment stands for a list of one."""
    return Audience(several(include), several(exclude), on_list)


def several(queries: Queries) -> tuple[Query, ...]:
    """Return some segments, of which there may be only one."""
    return tuple(queries) if isinstance(queries, list | tuple) else (queries,)


def resolve(
    engine: Engine,
    audience: Audience,
    context: QueryContext,
    suppression: Suppression | None = None,
) -> Resolved:
    """
    Return who of *audience* may be sent to, as of the instant of *context*.

    *suppression* is the workspace's own by default.

    Costs what its segments cost, and some bitmap operations a block: 1 ms for 2^20 contacts and
    segments that are remembered; the first time, 1 to 2 µs more for each suppressed id.

    Raises:
        UserError: nothing is included, a segment is not valid (`field` says which, as
            `include[2]`), `list` is no list of the workspace, there are more than 1,000 sources, or
            `context.check` ended it.
    """
    if not audience.include:
        raise UserError(
            Reason.INVALID_VALUE,
            "expected at least one segment to include, found none; for all contacts include"
            " `everyone`",
            field="include",
        )
    sources = (*audience.include, *audience.exclude)
    if len(sources) > MOST_SOURCES:
        raise UserError(
            Reason.LIMIT_EXCEEDED,
            f"expected at most {MOST_SOURCES:,} segments to include and exclude, found"
            f" {len(sources):,}",
            field="include",
        )
    suppressed = engine.view.suppressed if suppression is None else suppression
    return _Resolution(engine, audience, context, suppressed).run()


class _Resolution:
    """One audience, planned."""

    def __init__(
        self, engine: Engine, audience: Audience, context: QueryContext, suppression: Suppression
    ) -> None:
        self._engine = engine
        self._context = context
        self._suppression = suppression
        self._include = [_place("include", *numbered) for numbered in enumerate(audience.include)]
        self._exclude = [_place("exclude", *numbered) for numbered in enumerate(audience.exclude)]
        chosen = [*self._include, *self._exclude]
        self._sources = Wholes(
            engine,
            [query for _, query in chosen],
            context,
            [place for place, _ in chosen],
        )
        self._trees = [tree_of(query, context.limits) for _, query in chosen]
        self._lists = _respected(engine.known, audience.on_list, self._trees[: len(self._include)])
        fixed: list[tree.Segment] = [_status_is("Active"), _status_is("Hard Bounce"), _NO_STATUS]
        opted_out = [tree.OptedOut(name) for name in self._lists]
        places = ["status"] * len(fixed) + ["list"] * len(opted_out)
        self._rules = Wholes(engine, [*fixed, *opted_out], context, places)

    def run(self) -> Resolved:
        """Return what is left, and the counts."""
        matched = without_status = 0
        removed = dict.fromkeys(Step, 0)
        found = []
        for block in self._engine.view.blocks:
            self._context.check()
            left = self._any(range(len(self._include)), block)
            matched += len(left)
            for step in Step:
                before = left
                left = self._after(step, before, block)
                removed[step] += len(before) - len(left)
                if step is Step.NOT_ACTIVE:
                    nothing = self._rules.members(2, block)
                    without_status += before.intersection_cardinality(nothing)
            found.append((block, left))
        texts = tuple(map(canonical, self._trees))
        funnel = Funnel(
            matched=matched,
            steps=tuple(_counts(matched, removed)),
            without_status=without_status,
            include=texts[: len(self._include)],
            exclude=texts[len(self._include) :],
            lists=self._lists,
            saved=_definitions(self._trees, self._engine.known.saved, self._context.limits),
            warnings=tuple(self._warnings(without_status)),
        )
        return Resolved(funnel, tuple(found))

    def _after(self, step: Step, left: BitMap, block: Block) -> BitMap:
        """Return the rows of *left* that *step* leaves."""
        if not left:
            return EMPTY
        match step:
            case Step.EXCLUDED:
                places = range(len(self._include), len(self._sources))
                return left - self._any(places, block)
            case Step.NOT_ACTIVE:
                active, bounced = self._rules.members(0, block), self._rules.members(1, block)
                return left & (active | bounced)
            case Step.OPTED_OUT:
                for place in range(3, len(self._rules)):
                    left = left - self._rules.members(place, block)
                return left
            case Step.SUPPRESSED:
                return left - _suppressed(self._suppression, block.ids)
            case Step.HARD_BOUNCE:
                return left - self._rules.members(1, block)

    def _any(self, places: Iterable[int], block: Block) -> BitMap:
        """Return the rows of all of some sources together."""
        found = [self._sources.members(place, block) for place in places]
        return BitMap.union(*found) if len(found) > 1 else found[0] if found else EMPTY

    def _warnings(self, without_status: int) -> Iterator[QueryWarning]:
        several = len(self._sources) > 1
        for number, warnings in enumerate(self._sources.warnings):
            is_included = number < len(self._include)
            place, _ = (*self._include, *self._exclude)[number]
            more = list(self._without_status(number)) if is_included else []
            for warning in (*warnings, *more):
                message = f"{place}: {warning.message}" if several else warning.message
                yield replace(warning, message=message)
        if not self._lists:
            yield QueryWarning(
                "NO_LIST",
                "no list is named, so nobody's opting out of a list is looked at; name the list"
                " that the message goes out on",
            )
        if without_status:
            yield QueryWarning(
                "WITHOUT_STATUS",
                f"{without_status:,} of the contacts have no status and are left out as not active;"
                " load a status for them",
            )

    def _without_status(self, number: int) -> Iterator[QueryWarning]:
        """Yield a warning if a segment that is included does not ask for the status."""
        if isinstance(self._trees[number], tree.Everyone | tree.InList):
            return  # nobody's segment, to be used elsewhere
        if not lint.asks_status(self._sources.conditions[number]):
            yield QueryWarning(
                "NO_STATUS",
                "nothing in this segment asks for `status`; an audience leaves out who is not"
                " active, but elsewhere the segment holds them: add `and status = Active`",
            )


# By the ids of a block: the list last looked up in it, and the rows found. Looking up costs
# 1 to 2 µs an id; lists and the ids of blocks mostly stay what they are from one send to the next.
_found: WeakKeyDictionary[IdColumn, tuple[Suppression, BitMap]] = WeakKeyDictionary()
_finding = Lock()


def _suppressed(suppression: Suppression, ids: IdColumn) -> BitMap:
    """Return the rows of a block that are suppressed, shared."""
    with _finding:
        known = _found.get(ids)
    if known is not None and known[0] is suppression:
        return known[1]
    rows = suppression.rows(ids)
    with _finding:
        _found[ids] = (suppression, rows)
    return rows


def respected_lists(segment: tree.Segment, saved: Saved) -> Iterator[str]:
    """
    Yield the lists that bring people into *segment*, as they are written; repeats are possible.

    These are the names of every `in list` that stands under an even number of negations, in the
    saved segments it uses too.
    """
    stack: list[tuple[tree.Node, bool]] = [(segment, True)]
    seen: set[tuple[str, bool]] = set()
    while stack:
        node, wanted = stack.pop()
        match node:
            case tree.InList(names, negated) if wanted != negated:
                yield from names
            case tree.Not(item):
                stack.append((item, not wanted))
                continue
            case tree.InSegment(name, negated):
                again = (key(name), wanted != negated)
                found = saved.find(name)
                if found is not None and again not in seen:
                    seen.add(again)
                    stack.append((found.segment, wanted != negated))
        stack.extend((child, wanted) for child in reversed(tuple(children(node))))


_STATUS = tree.Name("status")
_NO_STATUS = tree.IsEmpty(_STATUS)


def _status_is(value: str) -> tree.Segment:
    return tree.Compare(_STATUS, tree.CompareOp.EQ, tree.String(value))


def _place(what: str, number: int, query: Query) -> tuple[str, Query]:
    return f"{what}[{number}]", query


def _respected(
    known: Known, on_list: str | None, included: Iterable[tree.Segment]
) -> tuple[str, ...]:
    """Return the lists whose opt-outs count, in their own spelling, each once, *on_list* first."""
    names = [] if on_list is None else [on_list]
    for segment in included:
        names += respected_lists(segment, known.saved)
    spelt = (known.lists.get(field_key(name, LISTS), name) for name in names)
    return tuple(dict.fromkeys(spelt))


def _definitions(
    segments: Iterable[tree.Segment], saved: Saved, limits: Limits
) -> tuple[tuple[str, str], ...]:
    """Return the name and text of every saved segment that is used, by name."""
    names = {node.name for segment in segments for node in memberships(segment)}
    used = [one.segment for name in names for one in with_used(name, saved, limits)]
    found = {one.name: one.text for one in used}
    return tuple(sorted(found.items()))


def _counts(matched: int, removed: dict[Step, int]) -> Iterator[StepCount]:
    left = matched
    for step, count in removed.items():
        left -= count
        yield StepCount(step, count, left)
