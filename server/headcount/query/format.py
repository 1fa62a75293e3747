"""
Tree to canonical text: one line, one spelling a tree, parentheses only where they are needed or
where `and` and `or` would stand beside each other.

`parse(format(tree)) == tree` for every tree that the parser or the protobuf reader gives. Of the
spellings that mean the same, the one is taken that can be misread least: an age is written in words
(`more than 30 days ago`), `opened >= 5 emails` as `did opened at least 5 times`.
"""

from __future__ import annotations

from headcount.query import tree
from headcount.query.limits import require_depth
from headcount.query.literals import (
    write_datetime,
    write_name,
    write_number,
    write_quoted,
    write_string,
)
from headcount.query.tree import (
    ArithmeticOp,
    CompareOp,
    Duration,
    EventSelector,
    Node,
    Segment,
    Times,
    TimesOp,
    Value,
    Window,
)

_AGES = {
    CompareOp.LT: "less than",
    CompareOp.LE: "at most",
    CompareOp.GT: "more than",
    CompareOp.GE: "at least",
}
_JOINED = (tree.And, tree.Or)
_MEMBERSHIP = (tree.InList, tree.OptedOut, tree.InSegment)
_SUMS = (ArithmeticOp.ADD, ArithmeticOp.SUBTRACT)


def format(node: Node) -> str:  # noqa: A001 - what it is called on the command line and by clients
    """
    Return the canonical text of a segment, or of a part of one.

    Raises:
        UserError: LIMIT_EXCEEDED; nested more than 64 levels deep.
    """
    require_depth(node)
    if isinstance(node, tree.EventSelector):
        return _event(node)
    if isinstance(node, Window):
        return _window(node)
    if isinstance(node, Value):
        return _value(node)
    return _segment(node)


def _segment(node: Segment) -> str:
    match node:
        case tree.Everyone():
            return "everyone"
        case tree.And():
            return " and ".join(map(_joined, node.items))
        case tree.Or():
            return " or ".join(map(_joined, node.items))
        case tree.Not():
            return "not " + _negated(node.item)
        case tree.Did() | tree.Regularly() | tree.Sequence():
            return _about_events(node)
        case tree.InList(names=(name,)):
            return f"{_not(node.negated)}in list {write_string(name)}"
        case tree.InList():
            return f"{_not(node.negated)}in any list {_strings(node.names)}"
        case tree.OptedOut():
            return f"{_not(node.negated)}opted out of list {write_string(node.name)}"
        case tree.InSegment():
            return f"{_not(node.negated)}in segment {write_string(node.name)}"
        case tree.Sample():
            of = "" if node.salt is None else f" of {write_string(node.salt)}"
            return f"sample {write_number(node.percent)}%{of}"
        case tree.Compare():
            return f"{_value(node.left)} {node.op} {_value(node.right)}"
    value = _value(node.value)
    match node:
        case tree.Age():
            return f"{value} {_AGES[node.op]} {_duration(node.duration)} ago"
        case tree.IsEmpty():
            return f"{value} is {_not(node.negated)}empty"
    operator = f"{value} {_not(node.negated)}"
    match node:
        case tree.Between():
            return f"{operator}between {_value(node.low)} and {_value(node.high)}"
        case tree.In():
            return f"{operator}in ({', '.join(map(_value, node.options))})"
        case tree.TextMatch():
            return f"{operator}{node.op} {write_string(node.pattern)}"
        case tree.ContainsSet():
            return f"{operator}contains {node.mode} {_strings(node.options)}"
        case tree.Within():
            return f"{operator}within {node.direction} {_duration(node.duration)}"


def _not(negated: bool) -> str:
    return "not " if negated else ""


def _wrapped(node: Segment) -> str:
    return f"({_segment(node)})"


def _joined(node: Segment) -> str:
    """Return what `and` or `or` joins; `and` binds tighter, but not everybody knows."""
    return _wrapped(node) if isinstance(node, _JOINED) else _segment(node)


def _negated(node: Segment) -> str:
    """Return what stands behind `not`; `not in list` would be another node than `not (in list)`."""
    membership = isinstance(node, _MEMBERSHIP) and not node.negated
    return _wrapped(node) if membership or isinstance(node, _JOINED) else _segment(node)


def _strings(values: tuple[str, ...]) -> str:
    return f"({', '.join(map(write_string, values))})"


def _duration(duration: Duration) -> str:
    return f"{duration.amount} {duration.unit}{'' if duration.amount == 1 else 's'}"


# --- events -----------------------------------------------------------------------------------


def _about_events(node: tree.Did | tree.Regularly | tree.Sequence) -> str:
    match node:
        case tree.Did():
            words = ["did not" if node.negated else "did", _event(node.event)]
            if node.times is not None:
                words.append(_times(node.times))
        case tree.Regularly():
            words = ["did", _event(node.event)]
            if node.times is not None:
                words.append(_times(node.times))
            words.append(f"in at least {node.at_least} of the last {node.periods}")
            one = node.period.amount == 1
            words.append(f"{node.period.unit}s" if one else f"periods of {_duration(node.period)}")
            return " ".join(words)
        case tree.Sequence():
            then = "then did not" if node.negated else "then did"
            words = ["did", _event(node.first), then, _event(node.then)]
            words.append(f"within {_duration(node.within)}")
    if node.window is not None:
        words.append(_window(node.window))
    return " ".join(words)


def _event(event: EventSelector, of: str = "") -> str:
    where = "" if event.where is None else f" where ({_segment(event.where)})"
    return write_name(event.name) + of + where


def _times(times: Times) -> str:
    if times.op is TimesOp.BETWEEN:
        return f"between {times.n} and {times.high} times"
    if times.op is TimesOp.EXACTLY and times.n in (1, 2):
        return "once" if times.n == 1 else "twice"
    return f"{times.op} {times.n} times"


def _window(window: Window) -> str:
    match window:
        case tree.LastWindow():
            return f"in last {_duration(window.duration)}"
        case tree.BetweenWindow():
            return f"between {_value(window.low)} and {_value(window.high)}"
        case tree.EdgeWindow():
            return f"{window.edge} {_value(window.time)}"
        case tree.CalendarWindow():
            return window.period.value
        case tree.Ever():
            return "ever"


# --- values -----------------------------------------------------------------------------------


def _value(node: Value) -> str:
    match node:
        case tree.Name():
            return write_quoted(node.name) if node.quoted else write_name(node.name)
        case tree.Number():
            return write_number(node.value)
        case tree.String():
            return write_string(node.value)
        case tree.Boolean():
            return "true" if node.value else "false"
        case tree.Date():
            return node.value.isoformat()
        case tree.DateTime():
            return write_datetime(node.value)
        case tree.DurationValue():
            return _duration(node.value)
        case tree.TimeWord():
            return node.moment.value
        case tree.Ago():
            return f"{_duration(node.duration)} ago"
        case tree.Arithmetic():
            return f"{_operand(node.left, node.op)} {node.op} {_right_operand(node.right, node.op)}"
        case tree.Negative():
            bare = not isinstance(node.operand, tree.Arithmetic | tree.Negative)
            return f"-{_value(node.operand)}" if bare else f"-({_value(node.operand)})"
        case tree.Call():
            return f"{node.function}({', '.join(map(_value, node.arguments))})"
        case tree.EventValue():
            return f"{node.pick}({_event(node.event)}{_trailing(node.window)})"
        case tree.Aggregate():
            events = _event(node.event, of="." + write_name(node.property))
            return f"{node.op}({events}{_trailing(node.window)})"


def _trailing(window: Window | None) -> str:
    return "" if window is None else " " + _window(window)


def _operand(node: Value, op: ArithmeticOp) -> str:
    """Return what stands left of *op*: operators of one rank are read from the left."""
    sum_in_product = isinstance(node, tree.Arithmetic) and node.op in _SUMS and op not in _SUMS
    return f"({_value(node)})" if sum_in_product else _value(node)


def _right_operand(node: Value, op: ArithmeticOp) -> str:
    """Return what stands right of *op*."""
    product_in_sum = isinstance(node, tree.Arithmetic) and node.op not in _SUMS and op in _SUMS
    bare = product_in_sum or not isinstance(node, tree.Arithmetic)
    return _value(node) if bare else f"({_value(node)})"
