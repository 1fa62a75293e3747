"""
Settled: a condition as one block sees it, so that the clock does not make it a new one.

Asked again a second later, `opened in last 30 days` is another interval, but hardly ever other
events. What an interval, or a range of instants, means in a block is which of its sorted values are
inside: two positions. A condition with positions in the place of instants is what its rows are
remembered under, and stays the same until an event enters or leaves the window.

    did email_open from 08:15:01 on 2 October        events 181,204 to 200,117 of the log
    signed_up_at from 08:15:01 on 22 November 2025   ranks 954,199 to 1,048,576

The indexes of events are named by their serial numbers, because a newer version of a block has
further ones. Nothing is evaluated from it. A condition that the clock is in otherwise (`then did
not`, which waits for a deadline) keeps its instant: asked again later, it is worked out again.
Positions cost 3 to 6 µs each, working a window out 50 and more.
"""

from __future__ import annotations

from collections.abc import Hashable

from headcount.index.block import Block
from headcount.index.interval import Interval
from headcount.index.text import TextIndex
from headcount.model.fold import is_exact
from headcount.query.bound import (
    All,
    Always,
    Any,
    Compared,
    Complement,
    Condition,
    Enough,
    EventCount,
    Follows,
    Holds,
    InRanges,
    KeyIn,
    KeysAll,
    Matches,
    Present,
)
from headcount.query.estimate import limits
from headcount.query.expressions import (
    Anniversary,
    Arithmetic,
    Choice,
    Constant,
    DayStart,
    Elapsed,
    EventAggregate,
    EventTally,
    EventTime,
    Expression,
    FieldValue,
    LocalDay,
    Shifted,
    Sources,
    Unary,
)
from headcount.query.frames import range_index, text_index
from headcount.query.lately import Lately

_FEW_KEYS = 1  # handed out as they are; uniting three takes as long as four look-ups here
_FEW_RANGES = 16
_ASKINGS = 4_096  # conditions and blocks


def is_at_hand(condition: Condition, block: Block) -> bool:
    """Return whether an index hands the rows out as they are, or nearly."""
    match condition:
        case Always() | Present(FieldValue()) | Holds(FieldValue()):
            return True
        case KeyIn(FieldValue(field), keys) | KeysAll(FieldValue(field), keys):
            if len(keys) > _FEW_KEYS or is_exact(field):
                return False
            return not isinstance(text_index(block, field), TextIndex)
    return False


def settled(condition: Condition, block: Block) -> Hashable:
    """Return what *condition* asks of *block*: equal for conditions that hold the same rows."""
    match condition:
        case EventCount(sources, interval, low, high):
            return "events", sources, _positions(sources, interval, block), low, high
        case InRanges(FieldValue(field), ranges) if condition.value.kind.is_time:
            if len(ranges) > _FEW_RANGES:
                return condition
            index = range_index(block, field)
            return "ranks", field, tuple(index.ranks(*limits(one)) for one in ranges)
        case InRanges(value, ranges):
            return "ranges", _value(value, block), ranges
        case Compared(left, op, right):
            return "compared", _value(left, block), op, _value(right, block)
        case Present(value):
            return "present", _value(value, block)
        case Follows(first, then, within, interval, until, never):
            answers = _positions(then, Interval(interval.low, until), block)
            asked = "follows", first, _positions(first, interval, block), then, answers, within
            return (*asked, until) if never else asked
    return condition  # of fields and ids alone


def is_of_any_day(asked: Hashable) -> bool:
    """
    Return whether what `settled` returned holds the same rows on every day, in one time zone.

    False may be said of what does, as of all that is about events.
    """
    if type(asked) is tuple:
        return asked[0] == "ranks" or (asked[0] == "ranges" and _is_stored(asked[1]))
    return isinstance(asked, KeyIn | KeysAll | Matches) and isinstance(asked.value, FieldValue)


def settled_whole(condition: Condition, block: Block) -> Hashable:
    """Return what a whole segment asks of *block*, as `settled` does of one condition."""
    match condition:
        case All(items):
            return "all", *(settled_whole(item, block) for item in items)
        case Any(items):
            return "any", *(settled_whole(item, block) for item in items)
        case Enough(items, count):
            return "enough", count, *(settled_whole(item, block) for item in items)
        case Complement(item):
            return "not", settled_whole(item, block)
    return settled(condition, block)


class Asked:
    """What a whole segment asks of a block, with its hash, which takes 1 µs a condition to make."""

    __slots__ = ("_hash", "what")

    def __init__(self, what: Hashable) -> None:
        self.what = what
        self._hash = hash(("whole", what))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asked) and self.what == other.what


class Askings:
    """
    What conditions ask of the blocks of one view, remembered by the very objects that they are.

    For those who bind each condition once (`Meanings`), and ask at every keystroke.
    """

    def __init__(self, most: int = _ASKINGS) -> None:
        self._held: Lately[tuple[int, int], tuple[Condition, Block, Hashable]] = Lately(most)

    def of(self, condition: Condition, block: Block) -> Hashable:
        """Return what `settled` does."""
        key = id(condition), block.number
        held = self._held.get(key)
        # What is held keeps its `id`.
        if held is not None and held[0] is condition and held[1] is block:
            return held[2]
        asked = settled(condition, block)
        self._held.keep(key, (condition, block, asked))
        return asked


def _value(value: Expression, block: Block) -> Hashable:
    """Return an expression with positions in the place of intervals."""
    match value:
        case EventTally(sources, interval):
            return "count", sources, _positions(sources, interval, block)
        case EventTime(pick, sources, interval):
            return pick, sources, _positions(sources, interval, block)
        case EventAggregate(op, sources, interval):
            return op, sources, _positions(sources, interval, block)
        case Arithmetic(op, left, right):
            return "arithmetic", op, _value(left, block), _value(right, block)
        case Choice(function, operands):
            return "choice", function, tuple(_value(operand, block) for operand in operands)
        case Unary(function, operand):
            return "unary", function, _value(operand, block)
        case Shifted(operand, duration, sign, kind):
            return "shifted", _value(operand, block), duration, sign, kind
        case Elapsed(left, right):
            return "elapsed", _value(left, block), _value(right, block)
        case DayStart(operand) | LocalDay(operand) | Anniversary(operand):
            return type(value), _value(operand, block)
    return value


def _is_stored(value: object) -> bool:
    """Return whether a value as `_value` gives it is made of stored numbers and dates alone."""
    match value:
        case FieldValue() | Constant():
            return True
        case ("arithmetic", _, left, right):
            return _is_stored(left) and _is_stored(right)
        case ("unary", _, operand):
            return _is_stored(operand)
    return False


def _positions(
    sources: Sources, interval: Interval, block: Block
) -> tuple[tuple[int, int, int], ...]:
    """Return the positions of the events in an interval, in each log of each source."""
    return tuple(
        (index.serial, *index.slice(interval))
        for source in sources
        for index in block.pieces(source.event.name)
    )
