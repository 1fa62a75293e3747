"""
Between messages and what is said around a count: previews, explanations, breakdowns and so on.

Both directions of each, so that what is written and what is read are one page. Of a tree only its
conditions travel, as canonical text; a client joins them again as their parts are joined.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from headcount.answers import Info, ReadyTemplate, Scalar
from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.bound import QueryWarning
from headcount.query.breakdown import Bar, Breakdown
from headcount.query.explain import Explained, Explanation, Found, Kind
from headcount.query.explain_contact import ContactExplanation, HeldValue, Verdict
from headcount.query.histogram import Bucket, Calendar, Edges, End, EqualWidth, Histogram, Layout
from headcount.query.history import Looked, Occurrence
from headcount.query.limits import Limits
from headcount.query.match import Match, Matches
from headcount.query.overlap import Overlap
from headcount.query.parse import parse
from headcount.query.preview import ConditionCount, Preview
from headcount.query.stretches import Stretch
from headcount.rpc import convert
from headcount.segments.templates import Fit
from headcount.v1 import answers_pb2 as pb
from headcount.v1 import common_pb2

# What a server wrote is read whatever the limits are here.
_ANY = Limits(text_bytes=sys.maxsize, conditions=sys.maxsize, values=sys.maxsize)

_KINDS: Mapping[Kind, pb.PartKind] = {
    Kind.ALL: pb.PART_KIND_ALL,
    Kind.ANY: pb.PART_KIND_ANY,
    Kind.NOT: pb.PART_KIND_NOT,
    Kind.CONDITION: pb.PART_KIND_CONDITION,
}
_KIND_OF = {number: kind for kind, number in _KINDS.items()}
_FOUND: Mapping[Found, pb.FoundIn] = {
    Found.AT_HAND: pb.FOUND_IN_INDEX,
    Found.REMEMBERED: pb.FOUND_IN_MEMORY,
    Found.WORKED_OUT: pb.FOUND_IN_DATA,
}
_FOUND_OF = {number: found for found, number in _FOUND.items()}


# --- parts of trees and of time ---------------------------------------------------------------


def _to_span(node: tree.Segment) -> pb.Span | None:
    return None if node.span is None else pb.Span(start=node.span.start, end=node.span.end)


def _condition(text: str, span: pb.Span | None) -> tree.Segment:
    """Return the condition of a text, at the place where it stood in the query."""
    found = parse(text, _ANY)
    return replace(found, span=None if span is None else tree.Span(span.start, span.end))


def _node(message: pb.ExplainedPart | pb.Verdict, parts: Sequence[tree.Segment]) -> tree.Segment:
    """Return the node of a part: its own condition, or those of its parts joined."""
    span = message.span if message.HasField("span") else None
    kind = _KIND_OF[message.kind]
    if kind is Kind.CONDITION:
        return _condition(message.text, span)
    place = None if span is None else tree.Span(span.start, span.end)
    if kind is Kind.NOT:
        return tree.Not(parts[0], span=place)
    joined = tree.And if kind is Kind.ALL else tree.Or
    return joined(tuple(parts), span=place)


def to_value(value: Scalar | None) -> common_pb2.FieldValue | None:
    """Return a value as a message; None is a missing one."""
    if value is None:
        return None
    message = common_pb2.FieldValue()
    convert.set_value(message, value)
    return message


def _value(message: common_pb2.FieldValue, zone: ZoneInfo) -> Scalar | None:
    """Return the value of a message, times in *zone* where its calendar has them."""
    if message.WhichOneof("kind") is None:
        return None
    found = convert.value_of(message)
    if isinstance(found, dt.datetime):
        try:
            return found.astimezone(zone)
        except OverflowError:
            return found
    return found


def _held(message: common_pb2.FieldValue, zone: ZoneInfo) -> Scalar:
    found = _value(message, zone)
    assert found is not None
    return found


def _moment(message: common_pb2.FieldValue, zone: ZoneInfo) -> dt.date | None:
    found = _value(message, zone)
    assert found is None or isinstance(found, dt.date)
    return found


def _to_stretch(stretch: Stretch) -> pb.TimeStretch:
    return pb.TimeStretch(
        about=stretch.about, first=to_value(stretch.first), last=to_value(stretch.last)
    )


def _stretch(message: pb.TimeStretch, zone: ZoneInfo) -> Stretch:
    return Stretch(message.about, _moment(message.first, zone), _moment(message.last, zone))


# --- previews ---------------------------------------------------------------------------------


def to_preview(found: Preview, info: common_pb2.AnswerInfo) -> pb.PreviewResponse:
    """Return a preview as a message."""
    return pb.PreviewResponse(
        count=found.count,
        contacts=found.contacts,
        text=found.text,
        conditions=[
            pb.ConditionCount(text=one.text, count=one.count, span=_to_span(one.node))
            for one in found.conditions
        ],
        sample=map(convert.to_contact, found.sample),
        warnings=map(convert.to_warning, found.warnings),
        info=info,
    )


def preview(message: pb.PreviewResponse) -> Preview:
    """Return the preview of a message."""
    return Preview(
        segment=parse(message.text, _ANY),
        count=message.count,
        contacts=message.contacts,
        conditions=tuple(
            ConditionCount(
                _condition(one.text, one.span if one.HasField("span") else None), one.count
            )
            for one in message.conditions
        ),
        sample=tuple(map(convert.contact, message.sample)),
        warnings=tuple(map(convert.warning, message.warnings)),
    )


# --- explanations -----------------------------------------------------------------------------


def to_explained(part: Explained) -> pb.ExplainedPart:
    """Return a part of an explanation as a message."""
    return pb.ExplainedPart(
        text=part.text if part.kind is Kind.CONDITION else "",
        kind=_KINDS[part.kind],
        span=_to_span(part.node),
        count=part.count,
        without=part.without,
        missing=part.missing,
        stretches=map(_to_stretch, part.stretches),
        operands=part.operands,
        elapsed=convert.to_duration(part.seconds),
        found=_FOUND[part.found],
        parts=map(to_explained, part.parts),
    )


def _explained(message: pb.ExplainedPart, zone: ZoneInfo) -> Explained:
    parts = tuple(_explained(part, zone) for part in message.parts)
    return Explained(
        node=_node(message, [part.node for part in parts]),
        kind=_KIND_OF[message.kind],
        count=message.count,
        without=message.without if message.HasField("without") else None,
        missing=message.missing if message.HasField("missing") else None,
        stretches=tuple(_stretch(stretch, zone) for stretch in message.stretches),
        operands=message.operands,
        seconds=convert.seconds_of(message.elapsed),
        found=_FOUND_OF[message.found],
        parts=parts,
    )


def explanation(message: pb.ExplainResponse, info: Info) -> Explanation:
    """Return the explanation of a message."""
    zone = ZoneInfo(info.time_zone)
    return Explanation(
        root=_explained(message.root, zone),
        contacts=message.contacts,
        as_of=info.as_of.astimezone(zone),
        time_zone=info.time_zone,
        warnings=tuple(map(convert.warning, message.warnings)),
    )


def to_verdict(verdict: Verdict) -> pb.Verdict:
    """Return a part of a contact's explanation as a message."""
    return pb.Verdict(
        text=verdict.text if verdict.kind is Kind.CONDITION else "",
        kind=_KINDS[verdict.kind],
        span=_to_span(verdict.node),
        holds=verdict.holds,
        values=[pb.HeldValue(text=one.text, value=to_value(one.value)) for one in verdict.values],
        events=map(_to_looked, verdict.events),
        stretches=map(_to_stretch, verdict.stretches),
        parts=map(to_verdict, verdict.parts),
    )


def _to_looked(looked: Looked) -> pb.EventsSeen:
    return pb.EventsSeen(
        about=looked.about,
        count=looked.count,
        in_window=looked.in_window,
        in_all=looked.in_all,
        first=map(_to_occurrence, looked.first),
        last=map(_to_occurrence, looked.last),
        latest=None if looked.latest is None else _to_occurrence(looked.latest),
    )


def _to_occurrence(event: Occurrence) -> pb.EventSeen:
    message = pb.EventSeen(type=event.type, time=to_value(event.time))
    for name, value in event.properties.items():
        convert.set_value(message.properties[name], value)
    return message


def contact_explanation(
    message: pb.ExplainContactResponse, contact: str, info: Info
) -> ContactExplanation:
    """Return the explanation of one contact of a message."""
    zone = ZoneInfo(info.time_zone)
    return ContactExplanation(
        contact=contact,
        root=_verdict(message.root, zone),
        as_of=info.as_of.astimezone(zone),
        time_zone=info.time_zone,
    )


def _verdict(message: pb.Verdict, zone: ZoneInfo) -> Verdict:
    parts = tuple(_verdict(part, zone) for part in message.parts)
    return Verdict(
        node=_node(message, [part.node for part in parts]),
        kind=_KIND_OF[message.kind],
        holds=message.holds,
        values=tuple(HeldValue(one.text, _value(one.value, zone)) for one in message.values),
        events=tuple(_looked(one, zone) for one in message.events),
        stretches=tuple(_stretch(stretch, zone) for stretch in message.stretches),
        parts=parts,
    )


def _looked(message: pb.EventsSeen, zone: ZoneInfo) -> Looked:
    return Looked(
        about=message.about,
        count=message.count,
        in_window=message.in_window,
        in_all=message.in_all,
        first=tuple(_occurrence(event, zone) for event in message.first),
        last=tuple(_occurrence(event, zone) for event in message.last),
        latest=_occurrence(message.latest, zone) if message.HasField("latest") else None,
    )


def _occurrence(message: pb.EventSeen, zone: ZoneInfo) -> Occurrence:
    time = _held(message.time, zone)
    assert isinstance(time, dt.datetime)
    properties = {}
    for name, value in message.properties.items():
        held = _held(value, zone)
        assert not isinstance(held, list)
        properties[name] = held
    return Occurrence(message.type, time, properties)


# --- breakdowns -------------------------------------------------------------------------------

_UNITS = {unit.value: unit for unit in (
    tree.Unit.DAY, tree.Unit.WEEK, tree.Unit.MONTH, tree.Unit.QUARTER, tree.Unit.YEAR
)}  # fmt: skip


def layout(message: pb.HistogramLayout) -> Layout:
    """
    Return the layout of a message.

    Raises:
        UserError: it names an unknown unit, or several ways to make ranges.
    """
    ends = [_end(message.low, "low"), _end(message.high, "high")]
    ways = [message.ranges > 0, bool(message.unit), bool(message.edges)]
    if sum(ways) > 1 or (message.edges and ends != [None, None]):
        raise UserError(
            Reason.INVALID_VALUE,
            "expected one of ranges, unit and edges; low and high go with the first two",
            field="histogram",
        )
    if message.edges:
        edges = (_end(edge, f"edges[{at}]") for at, edge in enumerate(message.edges))
        return Edges(tuple(edge for edge in edges if edge is not None))
    if not message.unit:
        return EqualWidth(message.ranges or EqualWidth().ranges, *ends)
    unit = _UNITS.get(message.unit.casefold())
    if unit is None:
        raise UserError(
            Reason.INVALID_VALUE,
            f"expected one of {', '.join(_UNITS)}, found `{message.unit}`",
            field="histogram.unit",
        )
    return Calendar(unit, *ends)


def _end(message: common_pb2.FieldValue, name: str) -> End | None:
    kind = message.WhichOneof("kind")
    if kind is None:
        return None
    if kind == "time":
        return convert.EPOCH + dt.timedelta(
            microseconds=convert.micros(message.time, f"histogram.{name}")
        )
    if kind == "number":
        return message.number
    if kind == "date":
        try:
            return dt.date.fromisoformat(message.date)
        except ValueError:
            kind = f"the date `{message.date}`"
    raise UserError(
        Reason.INVALID_VALUE,
        f"expected a number, a date as YYYY-MM-DD or a time, found {kind}",
        field=f"histogram.{name}",
    )


def to_layout(found: Layout) -> pb.HistogramLayout:
    """Return a layout as a message."""
    match found:
        case EqualWidth(ranges, low, high):
            return pb.HistogramLayout(ranges=ranges, low=to_value(low), high=to_value(high))
        case Calendar(unit, low, high):
            return pb.HistogramLayout(unit=unit.value, low=to_value(low), high=to_value(high))
        case Edges(edges):
            return pb.HistogramLayout(edges=[_edge(edge) for edge in edges])


def _edge(edge: End) -> common_pb2.FieldValue:
    message = common_pb2.FieldValue()
    convert.set_value(message, edge)
    return message


def to_breakdown(found: Breakdown, info: common_pb2.AnswerInfo) -> pb.BreakdownResponse:
    """Return a breakdown as a message."""
    return pb.BreakdownResponse(
        by=found.by,
        count=found.count,
        missing=found.missing,
        others=found.others,
        distinct=found.distinct,
        values=[pb.ValueCount(value=to_value(bar.value), count=bar.count) for bar in found.bars],
        warnings=map(convert.to_warning, found.warnings),
        info=info,
    )


def breakdown(message: pb.BreakdownResponse, info: Info) -> Breakdown:
    """Return the breakdown of a message."""
    zone = ZoneInfo(info.time_zone)
    return Breakdown(
        by=message.by,
        count=message.count,
        missing=message.missing,
        others=message.others,
        distinct=message.distinct,
        bars=tuple(Bar(_held(one.value, zone), one.count) for one in message.values),
        warnings=tuple(map(convert.warning, message.warnings)),
    )


def to_histogram(found: Histogram, info: common_pb2.AnswerInfo) -> pb.BreakdownResponse:
    """Return a histogram as a message."""
    return pb.BreakdownResponse(
        by=found.by,
        count=found.count,
        missing=found.missing,
        others=found.beyond,
        buckets=[
            pb.Bucket(
                low=to_value(one.low), high=to_value(one.high), closed=one.closed, count=one.count
            )
            for one in found.buckets
        ],
        warnings=map(convert.to_warning, found.warnings),
        info=info,
    )


def histogram(message: pb.BreakdownResponse, info: Info) -> Histogram:
    """Return the histogram of a message."""
    zone = ZoneInfo(info.time_zone)
    return Histogram(
        by=message.by,
        count=message.count,
        missing=message.missing,
        beyond=message.others,
        buckets=tuple(
            Bucket(_held(one.low, zone), _held(one.high, zone), one.closed, one.count)
            for one in message.buckets
        ),
        warnings=tuple(map(convert.warning, message.warnings)),
    )


# --- several segments -------------------------------------------------------------------------


def to_overlap(found: Overlap, info: common_pb2.AnswerInfo) -> pb.OverlapResponse:
    """Return an overlap as a message."""
    places = range(len(found.shared))
    return pb.OverlapResponse(
        rows=[
            pb.OverlapRow(
                shared=found.shared[i],
                jaccard=[found.jaccard(i, j) for j in places],
                warnings=map(convert.to_warning, found.warnings[i]),
            )
            for i in places
        ],
        contacts=found.contacts,
        info=info,
    )


def overlap(message: pb.OverlapResponse) -> Overlap:
    """Return the overlap of a message."""
    return Overlap(
        contacts=message.contacts,
        shared=tuple(tuple(row.shared) for row in message.rows),
        warnings=tuple(tuple(map(convert.warning, row.warnings)) for row in message.rows),
    )


def to_match(found: Match) -> pb.ContactMatch:
    """Return which segments hold one contact as a message."""
    return pb.ContactMatch(
        contact_id=found.contact, known=found.segments is not None, segments=found.segments or ()
    )


def matches(message: pb.MatchResponse) -> Matches:
    """Return the matches of a message."""
    found = (
        Match(one.contact_id, tuple(one.segments) if one.known else None) for one in message.matches
    )
    warnings = (tuple(map(convert.warning, one.warnings)) for one in message.warnings)
    return Matches(tuple(found), tuple(warnings))


def to_warnings(warnings: Iterable[QueryWarning]) -> pb.Warnings:
    """Return the warnings of one segment as a message."""
    return pb.Warnings(warnings=map(convert.to_warning, warnings))


# --- templates --------------------------------------------------------------------------------


def to_template(fit: Fit) -> pb.Template:
    """Return a template, held against a workspace, as a message."""
    template, advice = fit.template, dict(fit.missing)
    return pb.Template(
        name=template.name,
        finds=template.finds,
        text=template.text,
        needs=[
            pb.TemplateNeed(text=str(need), advice=advice.get(need, "")) for need in template.needs
        ],
        uses=template.uses,
        usable=fit.usable,
    )


def template(message: pb.Template) -> ReadyTemplate:
    """Return the template of a message."""
    return ReadyTemplate(
        name=message.name,
        finds=message.finds,
        text=message.text,
        uses=tuple(message.uses),
        usable=message.usable,
        needs=tuple((need.text, need.advice) for need in message.needs),
    )
