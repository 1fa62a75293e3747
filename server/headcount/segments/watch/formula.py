"""
Formulas: a watched segment as `and`, `or` and `not` over atoms that many watches have in common.

    plan = Pro and did open at least 3 times in last 7 days
    └─ atom ─┘     └── atom: 3 or more in (clock - 7 days, clock] ──┘

Who of a batch's contacts an atom holds is a number with a bit for each of them, found out once for
all watches (`truths`); a formula then costs an integer operation a node, about 0.2 µs for 1,000
contacts. Atoms say how far their edges are from the clock, not where they are, so watches that were
made at different times share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from weakref import WeakValueDictionary

from headcount.query.bound import All, Always, Complement, Condition, Enough, EventCount
from headcount.query.bound import Any as Any_
from headcount.query.course import Piece
from headcount.query.moving import (
    Computed,
    Counted,
    CountedWhere,
    Edge,
    Every,
    Fixed,
    Followed,
    InWindows,
    Moving,
    MovingFigure,
    MovingInstant,
    Others,
    Several,
    Some,
    Window,
    parts,
)
from headcount.segments.watch.shapes import End, Shape, shape_of


class Atom:
    """A condition that is no `and`, `or`, `not`, its edges as of instant 0; equal ones are one."""

    __slots__ = ("__weakref__", "condition", "ends", "shape")

    def __init__(self, condition: Moving) -> None:
        self.condition = condition
        self.shape: Shape | None = None
        self.ends: tuple[End, ...] = ()
        if not self.is_of_all:
            self.shape, self.ends = shape_of(condition)

    @property
    def is_of_all(self) -> bool:
        """Whether it is found out for all contacts at once, and not for those asked about."""
        return isinstance(self.condition, Fixed | Counted)


class Truths(Protocol):
    """Which contacts atoms hold."""

    def of(self, atom: Atom, among: int) -> int:
        """Return which of the contacts *among* (bits) an atom holds."""


Rule = Callable[[Truths, int], int]


@dataclass(frozen=True, eq=False, slots=True)
class Formula:
    """
    `holds(truths, among)` returns which of the contacts *among* (bits) belong.

    `is_of_all` says whether all its `atoms` are.
    """

    holds: Rule
    atoms: tuple[Atom, ...]
    is_of_all: bool


def formula_of(piece: Piece) -> Formula:
    """Return the formula of what a segment means in a piece of its course; about 5 µs a node."""
    made = _Making(piece.start)
    rule = made.rule(piece.condition)
    atoms = tuple(dict.fromkeys(made.atoms))
    return Formula(rule, atoms, all(atom.is_of_all for atom in atoms))


_known: WeakValueDictionary[Moving, Atom] = WeakValueDictionary()


def atom_of(condition: Moving) -> Atom:
    """Return the atom of a condition whose edges are as of instant 0."""
    found = _known.get(condition)
    if found is None:
        found = _known.setdefault(condition, Atom(condition))
    return found


class _Making:
    def __init__(self, start: int) -> None:
        self._start = start
        self.atoms: list[Atom] = []

    def rule(self, condition: Moving) -> Rule:
        match condition:
            case Every(items):
                return self._every(items)
            case Some(items):
                return _either(self._rules(items))
            case Others(item):
                return _not(self.rule(item))
            case Several(items, count):
                return _enough(self._rules(items), count)
            case Fixed(bound):
                return self._fixed(bound)
        return self._atom(_from_zero(condition, self._start))

    def _rules(self, items: Iterable[Moving]) -> list[Rule]:
        return [self.rule(item) for item in items]

    def _every(self, items: Sequence[Moving]) -> Rule:
        """What costs more is asked of those that are left."""
        return _both(self._rules(sorted(items, key=_cost)))

    def _fixed(self, bound: Condition) -> Rule:
        match bound:
            case Always(truth):
                return _everybody if truth else _nobody
            case All(items):
                return self._every([Fixed(item) for item in items])
            case Any_(items):
                return _either(self._rules(map(Fixed, items)))
            case Complement(item):
                return _not(self._fixed(item))
            case Enough(items, count):
                return _enough(self._rules(map(Fixed, items)), count)
            case EventCount(sources, (low, high), least, most):
                window = Window(Edge(low, moves=False), Edge(high, moves=False))
                return self._atom(Counted(sources, window, least, most))
        return self._atom(Fixed(bound))

    def _atom(self, condition: Moving) -> Rule:
        atom = atom_of(condition)
        self.atoms.append(atom)
        return lambda truths, among: truths.of(atom, among)


def _cost(condition: Moving) -> int:
    """Return 0 for what is looked up, 1 for what is counted, 2 for what is worked out by row."""
    costs = []
    for part in parts(condition):
        match part:
            case Counted():
                costs.append(1)
            case Computed() | InWindows() | CountedWhere() | Followed():
                costs.append(2)
    return max(costs, default=0)


def _everybody(_: Truths, among: int) -> int:
    return among


def _nobody(_truths: Truths, _among: int) -> int:
    return 0


def _both(rules: Sequence[Rule]) -> Rule:
    def found(truths: Truths, among: int) -> int:
        for rule in rules:
            among = rule(truths, among)
            if not among:
                break
        return among

    return found


def _either(rules: Sequence[Rule]) -> Rule:
    def found(truths: Truths, among: int) -> int:
        held = 0
        for rule in rules:
            held |= rule(truths, among & ~held)
        return held

    return found


def _not(rule: Rule) -> Rule:
    return lambda truths, among: among & ~rule(truths, among)


def _enough(rules: Sequence[Rule], count: int) -> Rule:
    def found(truths: Truths, among: int) -> int:
        held = [among] + [0] * count  # by how many rules, at least
        for rule in rules:
            here = rule(truths, among)
            for more in range(count, 0, -1):
                held[more] |= held[more - 1] & here
        return held[count]

    return found


# --- edges as of instant 0 --------------------------------------------------------------------


def _from_zero(condition: Moving, start: int) -> Moving:
    """Return a condition whose clock begins at instant 0 and not at *start*."""
    match condition:
        case Counted():
            return replace(condition, window=_window(condition.window, start))
        case Computed(_, figures, instants):
            return replace(
                condition, figures=_figures(figures, start), instants=_instants(instants, start)
            )
        case InWindows(_, windows, figures):
            moved = tuple(_window(window, start) for window in windows)
            return replace(condition, windows=moved, figures=_figures(figures, start))
        case CountedWhere(sources, window):
            moving = tuple(replace(one, where=_from_zero(one.where, start)) for one in sources)
            return replace(condition, sources=moving, window=_window(window, start))
        case Every(items) | Some(items) | Several(items):  # inside `where`
            return replace(condition, items=tuple(_from_zero(item, start) for item in items))
        case Others(item):
            return Others(_from_zero(item, start))
        case Followed():
            window, until = _window(condition.window, start), _edge(condition.until, start)
            return replace(condition, window=window, until=until)
    return condition


def _figures(figures: tuple[MovingFigure, ...], start: int) -> tuple[MovingFigure, ...]:
    return tuple(replace(one, window=_window(one.window, start)) for one in figures)


def _instants(instants: tuple[MovingInstant, ...], start: int) -> tuple[MovingInstant, ...]:
    return tuple(replace(one, edge=_edge(one.edge, start)) for one in instants)


def _window(window: Window, start: int) -> Window:
    return Window(_edge(window.low, start), _edge(window.high, start))


def _edge(edge: Edge, start: int) -> Edge:
    return Edge(edge.at - start, moves=True) if edge.moves else edge
