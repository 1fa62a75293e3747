"""The commands about how segments do: `report performance`, `report history`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from headcount.cli.options import (
    AsOf,
    Data,
    OutputFormat,
    Server,
    TimeZone,
    WorkspaceName,
    asked,
    instant,
)
from headcount.cli.output import Format, doubts, write_document, write_lines, write_rows
from headcount.cli.target import opened
from headcount.segments.history import History, Stretch
from headcount.segments.performance import WINDOW, Performance
from headcount.segments.report import Report

app = typer.Typer(name="report", help="Say how segments do.", no_args_is_help=True)

_NUMBERS = (
    "contacts", "reached", "opened", "clicked", "converted",
    "sends", "opens", "clicks", "conversions", "revenue",
)  # fmt: skip
_RATES = ("open_rate", "click_rate", "click_to_open_rate", "conversion_rate")
_ALL = (*_NUMBERS, *_RATES, "revenue_per_contact")


@app.command()
def performance(
    segments: Annotated[
        list[str],
        typer.Argument(metavar="SEGMENT...", help="Segments, each in one argument: quote it."),
    ],
    window: Annotated[
        str, typer.Option("--window", metavar="WINDOW", help="When, as in the language.")
    ] = WINDOW,
    send: Annotated[
        str, typer.Option("--send", metavar="EVENT", help="What is sent. Its usual name if absent.")
    ] = "",
    opening: Annotated[
        str, typer.Option("--open", metavar="EVENT", help="What an opening is.")
    ] = "",
    click: Annotated[str, typer.Option("--click", metavar="EVENT", help="What a click is.")] = "",
    conversion: Annotated[
        str, typer.Option("--conversion", metavar="EVENT", help="What is hoped for.")
    ] = "",
    revenue: Annotated[
        str, typer.Option("--revenue", metavar="PROPERTY", help="The number of it to sum.")
    ] = "",
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print what was sent to segments in a window of time, and what came of it, side by side."""
    when = instant(as_of)
    queries = [asked(one) for one in segments]
    with opened(data, server, workspace) as target:
        found = target.compare(
            queries,
            window=window,
            send=send,
            open=opening,
            click=click,
            conversion=conversion,
            revenue=revenue,
            as_of=when,
            time_zone=time_zone,
        )
    doubts(found.warnings)
    if output is Format.JSON:
        write_document(_document(found))
    elif output is Format.CSV:
        rows = ([one.segment, *(getattr(one, name) for name in _ALL)] for one in found.segments)
        write_rows(["segment", *_ALL], rows)
    else:
        write_lines(_text(found))


def _document(found: Report) -> dict[str, object]:
    measured = found.measured
    return {
        "window": measured.window,
        "send": list(measured.send),
        "open": list(measured.open),
        "click": list(measured.click),
        "conversion": list(measured.conversion),
        "revenue": measured.revenue,
        "segments": [
            {"segment": one.segment, **{name: getattr(one, name) for name in _ALL}}
            for one in found.segments
        ],
        "as_of": found.info.as_of,
        "time_zone": found.info.time_zone,
        "version": str(found.info.version),
    }


def _text(found: Report) -> Iterator[str]:
    """Yield a line a number, and in it a column a segment."""
    measured = found.measured
    yield f"{measured.window}, as of {found.info.as_of.isoformat()}"
    for number, one in enumerate(found.segments, 1):
        yield f"  [{number}] {one.segment}"
    heads = (f"[{number}]" for number in range(1, len(found.segments) + 1))
    yield " " * 20 + "".join(f"{head:>14}" for head in heads)
    for name in _ALL:
        shown = "".join(f"{_cell(one, name):>14}" for one in found.segments)
        yield f"{name.replace('_', ' '):<20}{shown}"


def _cell(one: Performance, name: str) -> str:
    value = getattr(one, name)
    if value is None:
        return "-"
    if name in _RATES:
        return f"{value:.1%}"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


@app.command()
def history(
    watch: Annotated[str, typer.Argument(metavar="WATCH", help="The name of the watch.")],
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="From when, RFC 3339. All that is kept."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Until when, RFC 3339. Now.")
    ] = None,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print how a watched segment grew and shrank, day by day."""
    first, last = instant(since, "--since"), instant(until, "--until")
    with opened(data, server, workspace) as target:
        found = target.history(watch, since=first, until=last, time_zone=time_zone)
    zone = ZoneInfo(found.info.time_zone)
    told = found.history
    if output is Format.JSON:
        write_document(
            {
                "total": _stretch(told.total, zone),
                "stayed": told.stayed,
                "stability": told.stability,
                "days": [_stretch(day, zone) for day in told.days],
                "time_zone": found.info.time_zone,
                "version": str(found.info.version),
            }
        )
    elif output is Format.CSV:
        rows = [_stretch(day, zone) for day in told.days]
        write_rows(list(rows[0]), [list(row.values()) for row in rows])
    else:
        write_lines(_days(told, zone))


def _stretch(one: Stretch, zone: ZoneInfo) -> dict[str, object]:
    return {
        "since": one.begins.astimezone(zone).isoformat(),
        "until": one.ends.astimezone(zone).isoformat(),
        "start": one.start,
        "entries": one.entries,
        "exits": one.exits,
        "size": one.size,
        "returns": one.returns,
        "stays": one.stays,
        "average_stay_seconds": one.average_stay,
        "growth": one.growth,
        "churn": one.churn,
    }


def _days(told: History, zone: ZoneInfo) -> Iterator[str]:
    """Yield a line a day, and one for all of them."""
    yield f"{'day':<12}{'start':>12}{'entries':>12}{'exits':>12}{'size':>12}{'churn':>9}  stay"
    for day in told.days:
        yield _line(f"{day.begins.astimezone(zone):%Y-%m-%d}", day)
    yield _line("all", told.total)
    if told.stability is not None:
        yield f"{told.stayed:,} of {told.total.start:,} never left ({told.stability:.1%})"


def _line(name: str, one: Stretch) -> str:
    churn = "-" if one.churn is None else f"{one.churn:.1%}"
    stay = "-" if one.average_stay is None else f"{one.average_stay / 86_400:.1f} days"
    numbers = (one.start, one.entries, one.exits, one.size)
    return f"{name:<12}{''.join(f'{n:>12,}' for n in numbers)}{churn:>9}  {stay}"
