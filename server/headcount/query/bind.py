"""
Binding: every name found, every type checked, every time resolved, before anything is computed.

    tree + view + context  →  Bound, or the first UserError with its place

All of a tree is bound, also what stands beside an empty condition: whether a segment is valid does
not depend on the data. Only what the view has seen (labels, lists) is asked of it here; whether a
value occurs is asked later, by whoever wants the warnings.

This module walks the structure; the operators are bound by kind of operand in `bind_comparisons`,
`bind_strings`, `bind_values` and `bind_events`, and simplified on the way by `conditions`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from headcount.index.view import Version, View
from headcount.model.errors import Reason, UserError
from headcount.model.fold import key
from headcount.model.schema import EventType, Field, Schema
from headcount.query import (
    bind_comparisons,
    bind_events,
    bind_strings,
    bind_values,
    tree,
)
from headcount.query.bound import EVERYONE, NO_ONE, Bound, Condition, Mention, QueryWarning, Sampled
from headcount.query.clock import Clock, OutOfCalendarError, to_date
from headcount.query.conditions import all_of, any_of, complement, negated_if
from headcount.query.context import QueryContext
from headcount.query.expressions import Constant, Expression, Kind
from headcount.query.literals import write_string
from headcount.query.names import ContactScope, Known, PropertyScope, Scope
from headcount.query.refusals import Refusals
from headcount.query.saved import (
    ExpansionError,
    Used,
    memberships,
    require_within,
    with_used,
)

_ANY_INSTANT = 946_684_800_000_000  # the start of the year 2000


def bind(
    segment: tree.Segment,
    view: View,
    context: QueryContext,
    text: str | None = None,
    known: Known | None = None,
) -> Bound:
    """
    Return *segment* bound to the names of *view* and the clock of *context*.

    *text* is what the segment was parsed from, for the places of errors; *known* is `Known(view)`,
    given to bind many segments, or with what is saved. About 10 µs a condition.

    Raises:
        UserError: a name, type or value does not fit; the message says what was expected.
    """
    return Binder(known or Known(view), context, text).bound(segment)


def check_calculated(known: Known) -> None:
    """
    Refuse calculated fields whose types do not fit, before anybody asks for them.

    Types do not depend on the instant, so any will do.

    Raises:
        UserError: one cannot be; `field` is `calculated.<name>`.
    """
    if known.calculations.order:
        binder = Binder(known, QueryContext(_ANY_INSTANT, ZoneInfo("UTC")), None)
        for one in known.calculations.order:
            binder.calculated(one.name)


def check_schema(schema: Schema) -> None:
    """
    Refuse a schema whose calculated fields mean nothing, before there are data.

    Raises:
        UserError: as for `check_calculated`.
    """
    check_calculated(Known(View(schema, (), Version(0, 0))))


def _require_calendar(clock: Clock) -> None:
    """Refuse an instant next to which days have no date."""
    try:
        year = to_date(clock.today).year
    except OutOfCalendarError:
        year = 0
    if not dt.MINYEAR < year < dt.MAXYEAR:
        raise UserError(
            Reason.INVALID_VALUE,
            "expected an instant in the years 2 to 9998 to answer for",
            field="as_of",
        )


class Binder:
    """The state of binding one segment: what is known, and the warnings found so far."""

    def __init__(self, known: Known, context: QueryContext, text: str | None) -> None:
        self.known = known
        self.clock = Clock(context.as_of, context.zone)
        _require_calendar(self.clock)
        self.refusals = Refusals(text)
        self.warnings: list[QueryWarning] = []
        self.mentions: list[Mention] = []
        self._context = context
        self._event: EventType | None = None  # whose `where` is being bound
        self._calculated: dict[str, Expression] = {}  # by declared name
        self._saved: dict[str, Condition] = {}  # by key
        self._used: dict[str, Used] = {}  # by key, the same ones
        self._seen: set[str] = set()  # of labels and lists, which were looked at

    @property
    def contact_scope(self) -> ContactScope:
        """Return what a segment names; not kept, or each binding would be a cycle with its view."""
        return ContactScope(self.known, self.refusals, self._context.as_of, self.calculated)

    def bound(self, segment: tree.Segment) -> Bound:
        """Return the whole of *segment*, with the warnings and mentions found in it."""
        condition = self.condition(segment, self.contact_scope)
        self.require_size(segment)
        return Bound(condition, self.clock, tuple(self.warnings), tuple(self.mentions))

    def require_size(self, segment: tree.Segment) -> None:
        """
        Refuse *segment* if it is too large with the saved segments that it names put in.

        About 1 µs a node of it, and of those of them that this has not bound.

        Raises:
            UserError: it has more conditions or levels than the limits allow.
        """
        named = dict.fromkeys(one.name for one in memberships(segment))
        if not named:
            return
        limits = self._context.limits
        try:
            for name in named:
                if key(name) not in self._used:
                    needed = with_used(name, self.known.saved, limits)
                    self._used.update((key(one.segment.name), one) for one in needed)
            require_within(segment, self._used, limits)
        except ExpansionError as error:
            raise self.refusals.error(error.reason, str(error), segment) from None

    def condition(self, node: tree.Segment, scope: Scope) -> Condition:
        """Return the bound condition of *node*."""
        match node:
            case tree.And(items):
                return all_of([self.condition(item, scope) for item in items])
            case tree.Or(items):
                return any_of([self.condition(item, scope) for item in items])
            case tree.Not(item):
                return complement(self.condition(item, scope))
            case tree.Compare():
                found = bind_events.comparison(self, node, scope)
                return bind_comparisons.compare(self, node, scope) if found is None else found
            case tree.In():
                return bind_comparisons.one_of(self, node, scope)
            case tree.Between():
                found = bind_events.between(self, node, scope)
                return bind_comparisons.between(self, node, scope) if found is None else found
            case tree.TextMatch():
                return bind_strings.text_match(self, node, scope)
            case tree.ContainsSet():
                return bind_strings.contains_set(self, node, scope)
            case tree.IsEmpty():
                return bind_comparisons.is_empty(self, node, scope)
            case tree.Within():
                return bind_comparisons.within(self, node, scope)
            case tree.Age():
                return bind_comparisons.age(self, node, scope)
        if isinstance(scope, PropertyScope):
            raise self.refusals.mismatch(
                f"{self.refusals.quoted(node)} asks about the contact; `where` holds only"
                f" comparisons of the properties of `{scope.event.name}`",
                node,
            )
        return self._of_contact(node)

    @property
    def looked_at_seen(self) -> bool:
        """Return whether the segment names labels or lists, which there must be."""
        return bool(self._seen)

    def seen(self, what: Literal["label", "list"]) -> Mapping[str, str]:
        """Return the labels or lists that there are, by their key form."""
        self._seen.add(what)
        return self.known.labels if what == "label" else self.known.lists

    def where(self, node: tree.Segment, scope: PropertyScope) -> Condition:
        """Return the bound condition on the properties of one type of event."""
        self._event = scope.event
        found = self.condition(node, scope)
        self._event = None
        return found

    def _of_contact(self, node: tree.Segment) -> Condition:
        """Return the bound form of a condition that only a contact can be asked."""
        match node:
            case tree.Everyone():
                return EVERYONE
            case tree.Did():
                return bind_events.did(self, node)
            case tree.Regularly():
                return bind_events.regularly(self, node)
            case tree.Sequence():
                return bind_events.follows(self, node)
            case tree.InList():
                return bind_strings.in_list(self, node)
            case tree.OptedOut():
                return bind_strings.opted_out(self, node)
            case tree.Sample():
                return self._sample(node)
            case tree.InSegment(name, negated):
                return negated_if(negated, self._in_segment(name, node))
        raise AssertionError(node)

    def value(self, node: tree.Value, scope: Scope) -> Expression:
        """Return the bound expression of *node*."""
        return bind_values.value(self, node, scope)

    def event_value(self, node: tree.EventValue | tree.Aggregate, scope: Scope) -> Expression:
        """Return the expression of a figure over events."""
        if scope.is_event:
            raise self.refusals.mismatch(
                f"{self.refusals.quoted(node)} asks about the contact, which `where` cannot", node
            )
        if isinstance(node, tree.Aggregate):
            return bind_events.aggregate(self, node)
        return bind_events.event_value(self, node)

    def calculated(self, name: str) -> Expression | None:
        """
        Return the expression of the calculated field *name*; None if there is none.

        Each is bound once, after those that it uses, so that a long chain of them does not recurse.
        """
        wanted = self.known.calculations.get(name)
        if wanted is None:
            return None
        if wanted.name not in self._calculated:
            for one in self.known.calculations.with_used(wanted.name):
                if one.name in self._calculated:
                    continue
                inner = self._inside(one.text)
                try:
                    found = inner.value(one.value, inner.contact_scope)
                except UserError as error:
                    raise _placed(error, f"calculated.{one.name}") from None
                self._calculated[one.name] = found
        return self._calculated[wanted.name]

    def _in_segment(self, name: str, node: tree.InSegment) -> Condition:
        """Return the condition of a saved segment, bound once however often it is named."""
        wanted = key(name)
        if wanted in self._saved:
            return self._saved[wanted]
        try:
            needed = with_used(name, self.known.saved, self._context.limits)
        except ExpansionError as error:
            raise self.refusals.error(error.reason, str(error), node, error.suggestions) from None
        for used in needed:
            one = used.segment
            if key(one.name) in self._saved:
                continue
            self._used[key(one.name)] = used
            inner = self._inside(one.text)
            try:
                found = inner.condition(one.segment, inner.contact_scope)
            except UserError as error:
                raise _placed(error, f"segment {write_string(one.name)}") from None
            self._saved[key(one.name)] = found
        return self._saved[wanted]

    def _inside(self, text: str) -> Binder:
        """
        Return a binder of what is put in the place of a name; *text* is what it was parsed from.

        What it warns of is nobody's business here: that belongs to the one who wrote it.
        """
        inner = Binder(self.known, self._context, text)
        inner._calculated, inner._saved = self._calculated, self._saved
        inner._seen = self._seen
        return inner

    def _sample(self, node: tree.Sample) -> Condition:
        if not 0 <= node.percent <= 100:
            message = f"expected a share from 0 % to 100 %, found {node.percent:g} %"
            raise self.refusals.error(Reason.INVALID_VALUE, message, node)
        # The smallest whole number that no hash of the sample reaches.
        threshold = -(-Fraction(node.percent) / 100 * 2**64 // 1)
        if not threshold:
            return NO_ONE
        if threshold >= 2**64:
            return EVERYONE
        return Sampled(int(threshold), node.salt or "")

    def warn(self, code: str, message: str, node: tree.Node) -> None:
        """Note something legal that is probably a mistake."""
        self.warnings.append(QueryWarning(code, message, self.refusals.position(node)))

    def warn_if_reversed(self, low: Expression, high: Expression, node: tree.Node) -> None:
        """Note a range whose low end is above its high end."""
        if not (isinstance(low, Constant) and isinstance(high, Constant)):
            return
        if low.kind is not high.kind or low.kind in (Kind.STRING, Kind.DURATION):
            return
        if low.value > high.value:  # type: ignore[operator]
            self.warn("EMPTY_RANGE", f"{low} is above {high}, so nobody matches", node)

    def mention(
        self, field: Field, values: tuple[tuple[float | str, str], ...], node: tree.Node
    ) -> None:
        """Note values whose absence from the data is worth a warning."""
        self.mentions.append(Mention(field, self._event, values, self.refusals.position(node)))


def _placed(error: UserError, field: str) -> UserError:
    """Return *error*, said of what is called *field*."""
    return UserError(
        error.reason,
        error.message,
        position=error.position,
        field=field,
        suggestions=error.suggestions,
    )
