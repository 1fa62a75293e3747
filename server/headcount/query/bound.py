"""
The bound tree: a segment with every name found, every type checked and every time resolved.

`bind` turns the many operators of the language into these few conditions; `plan` and `evaluate`
know no others. Nothing here depends on the text it came from, so that two ways of writing the same
question become equal values, and can share work.

    Always, All, Any, Complement, Enough            structure
    Present, Holds, KeyIn, KeysAll, Matches,        one expression against constants
    InRanges, Compared                              ... or against another
    EventCount, Follows, Sampled                    events; a share of all

Inside `where` the same conditions are about one event. Every condition is true or false for every
contact, and false for a missing value; a negative operator is the `Complement` of its positive
twin. Strings are in the key form of the field they are compared with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from headcount.index.interval import Interval
from headcount.index.pattern import Pattern
from headcount.model.errors import Position
from headcount.model.schema import EventType, Field
from headcount.query.clock import Clock
from headcount.query.expressions import Expression, Source, Sources, events_text, spell
from headcount.query.ranges import Ranges
from headcount.query.tree import Duration


@dataclass(frozen=True, slots=True)
class Always:
    """Everyone, or no one."""

    truth: bool

    def __str__(self) -> str:
        return "everyone" if self.truth else "no one"


@dataclass(frozen=True, slots=True)
class All:
    """Those in every one of `items`."""

    items: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"({' and '.join(map(str, self.items))})"


@dataclass(frozen=True, slots=True)
class Any:
    """Those in at least one of `items`."""

    items: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"({' or '.join(map(str, self.items))})"


@dataclass(frozen=True, slots=True)
class Complement:
    """Those not in `item`."""

    item: Condition

    def __str__(self) -> str:
        return f"not {self.item}"


@dataclass(frozen=True, slots=True)
class Present:
    """Those for whom the expression has a value."""

    value: Expression

    def __str__(self) -> str:
        return f"{self.value} is not empty"


@dataclass(frozen=True, slots=True)
class Holds:
    """Those for whom a boolean expression is true."""

    value: Expression

    def __str__(self) -> str:
        return f"{self.value} = true"


@dataclass(frozen=True, slots=True)
class KeyIn:
    """Those whose string, or one of whose strings, has one of these keys."""

    value: Expression
    keys: frozenset[str]

    def __str__(self) -> str:
        return f"{self.value} in {_listed(self.keys)}"


@dataclass(frozen=True, slots=True)
class KeysAll:
    """Those whose set of strings has all of these keys."""

    value: Expression
    keys: frozenset[str]

    def __str__(self) -> str:
        return f"{self.value} contains all {_listed(self.keys)}"


@dataclass(frozen=True, slots=True)
class Matches:
    """Those whose string, or one of whose strings, fits a pattern."""

    value: Expression
    pattern: Pattern

    def __str__(self) -> str:
        return f"{self.value} {self.pattern.op} {self.pattern.literal!r}"


@dataclass(frozen=True, slots=True)
class InRanges:
    """Those whose number, day or instant is in one of these ranges; at least one, not empty."""

    value: Expression
    ranges: Ranges

    def __str__(self) -> str:
        shown = [r.text(lambda n: spell(n, self.value.kind)) for r in self.ranges[:4]]
        more = [f"{len(self.ranges) - 4} more"] if len(self.ranges) > 4 else []
        return f"{self.value} {' or '.join(shown + more)}"


@dataclass(frozen=True, slots=True)
class Compared:
    """Those for whom `left op right`, of one kind, and strings in their own key forms."""

    left: Expression
    op: Literal["=", "<", "<="]
    right: Expression

    def __str__(self) -> str:
        return f"{self.left} {self.op} {self.right}"


@dataclass(frozen=True, slots=True)
class EventCount:
    """Those with `low` to `high` events in the interval; `low` is at least 1, None is no limit."""

    sources: Sources
    interval: Interval
    low: int
    high: int | None = None

    def __str__(self) -> str:
        events = events_text(self.sources, self.interval)
        if self.high is None:
            return f"did {events} at least {self.low} times"
        return f"did {events} between {self.low} and {self.high} times"


@dataclass(frozen=True, slots=True)
class Enough:
    """Those in at least `count` of `items`: 2 or more, but not all of them."""

    items: tuple[Condition, ...]
    count: int

    def __str__(self) -> str:
        return f"at least {self.count} of ({'; '.join(map(str, self.items))})"


@dataclass(frozen=True, slots=True)
class Follows:
    """
    Those with a first event in `interval` that is followed by another within the duration.

    Strictly after it and at the latest one duration later, up to `until` (as_of). With `never`:
    with a first event that is not followed, and whose duration is over by `until`.
    """

    first: Sources
    then: Sources
    within: Duration
    interval: Interval
    until: int
    never: bool

    def __str__(self) -> str:
        then = " or ".join(map(str, self.then))
        did = "did not" if self.never else "did"
        span = f"{self.within.amount} {self.within.unit}s"
        return f"did {events_text(self.first, self.interval)} then {did} {then} within {span}"


@dataclass(frozen=True, slots=True)
class Sampled:
    """Those whose salted hash of the id is below `threshold`, of 2^64."""

    threshold: int
    salt: str

    def __str__(self) -> str:
        return f"sample {100 * self.threshold / 2**64:g}% of {self.salt!r}"


Condition = (
    Always | All | Any | Complement | Enough | Present | Holds | KeyIn | KeysAll | Matches
    | InRanges | Compared | EventCount | Follows | Sampled
)  # fmt: skip

EVERYONE = Always(True)
NO_ONE = Always(False)


# --- what comes out of binding ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """Something legal that is probably a mistake; `code` is stable."""

    code: str
    message: str
    position: Position | None = None

    def to_dict(self) -> dict[str, str | int]:
        """Return it as JSON holds it; the place is left out if there is none."""
        found: dict[str, str | int] = {"code": self.code, "message": self.message}
        if self.position is not None:
            found |= {"line": self.position.line, "column": self.position.column}
        return found


@dataclass(frozen=True, slots=True)
class Mention:
    """Values that the segment names, to be looked for in the data: key form → as written."""

    field: Field
    event: EventType | None
    values: tuple[tuple[float | str, str], ...]
    position: Position | None


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound segment; `mentions` are the values whose absence from the data is worth a warning."""

    condition: Condition
    clock: Clock
    warnings: tuple[QueryWarning, ...] = ()
    mentions: tuple[Mention, ...] = ()

    def __str__(self) -> str:
        return str(self.condition)


Node = Condition | Expression | Source


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly below *node*."""
    for part in fields(node):
        value = getattr(node, part.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Node):
                yield item


def _listed(keys: frozenset[str]) -> str:
    shown = [repr(key) for key in sorted(keys)[:6]]
    if len(keys) > 6:
        shown.append(f"{len(keys) - 6} more")
    return "{" + ", ".join(shown) + "}"
