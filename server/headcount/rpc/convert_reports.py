"""Between messages and values: what is measured in, performances out. Clients use the inverse."""

from __future__ import annotations

from headcount.answers import Info
from headcount.query.format import format as canonical
from headcount.rpc import convert
from headcount.segments.history import History, Stretch
from headcount.segments.performance import WINDOW, Measured, Named, Performance
from headcount.segments.report import Report
from headcount.v1 import common_pb2
from headcount.v1 import reports_pb2 as pb

_COUNTS = (
    "segment", "contacts", "reached", "opened", "clicked", "converted",
    "sends", "opens", "clicks", "conversions",
)  # fmt: skip
_SHARES = (
    "revenue", "open_rate", "click_rate", "click_to_open_rate", "conversion_rate",
    "revenue_per_contact",
)  # fmt: skip


def measure(message: pb.Measure) -> Measured:
    """Return what a message asks to be counted."""
    return Measured(
        window=message.window or WINDOW,
        send=message.send,
        open=message.open,
        click=message.click,
        conversion=message.conversion,
        revenue=message.revenue,
    )


def to_measure(measured: Measured) -> pb.Measure:
    """Return what is to be counted."""
    window = measured.window
    return pb.Measure(
        window=window if isinstance(window, str) else canonical(window),
        send=measured.send,
        open=measured.open,
        click=measured.click,
        conversion=measured.conversion,
        revenue=measured.revenue,
    )


def to_measured(named: Named) -> pb.Measured:
    """Return what was counted."""
    return pb.Measured(
        window=named.window,
        send=named.send,
        open=named.open,
        click=named.click,
        conversion=named.conversion,
        revenue=named.revenue,
    )


def _named(message: pb.Measured) -> Named:
    return Named(
        window=message.window,
        send=tuple(message.send),
        open=tuple(message.open),
        click=tuple(message.click),
        conversion=tuple(message.conversion),
        revenue=message.revenue,
    )


def to_performance(found: Performance) -> pb.SegmentPerformance:
    """Return one segment in numbers, its rates worked out."""
    return pb.SegmentPerformance(**{name: getattr(found, name) for name in _COUNTS + _SHARES})


def _performance(message: pb.SegmentPerformance) -> Performance:
    counts = {name: getattr(message, name) for name in _COUNTS}
    return Performance(**counts, revenue=message.revenue if message.HasField("revenue") else None)


def report(message: pb.PerformanceResponse | pb.CompareResponse, info: Info) -> Report:
    """Return an answer, of one segment or of several."""
    if isinstance(message, pb.CompareResponse):
        segments = list(message.segments)
    else:
        segments = [message.segment]
    return Report(
        measured=_named(message.measured),
        segments=tuple(map(_performance, segments)),
        warnings=tuple(map(convert.warning, message.warnings)),
        info=info,
    )


def to_history(found: History, info: common_pb2.AnswerInfo) -> pb.HistoryResponse:
    """Return a history, its shares worked out."""
    return pb.HistoryResponse(
        total=_to_stretch(found.total),
        stayed=found.stayed,
        stability=found.stability,
        days=map(_to_stretch, found.days),
        info=info,
    )


def history(message: pb.HistoryResponse) -> History:
    """Return the history of a message."""
    return History(_stretch(message.total), message.stayed, tuple(map(_stretch, message.days)))


def _to_stretch(one: Stretch) -> pb.HistoryStretch:
    stay = one.average_stay
    return pb.HistoryStretch(
        since=convert.to_timestamp(one.low),
        until=convert.to_timestamp(one.high),
        start=one.start,
        size=one.size,
        entries=one.entries,
        exits=one.exits,
        returns=one.returns,
        stays=one.stays,
        average_stay=None if stay is None else convert.to_duration(stay),
        growth=one.growth,
        churn=one.churn,
    )


def _stretch(message: pb.HistoryStretch) -> Stretch:
    has_stay = message.HasField("average_stay")
    return Stretch(
        low=convert.micros(message.since, "since"),
        high=convert.micros(message.until, "until"),
        start=message.start,
        entries=message.entries,
        exits=message.exits,
        returns=message.returns,
        stays=message.stays,
        average_stay=convert.seconds_of(message.average_stay) if has_stay else None,
    )
