"""
The commands around a count: `preview`, `explain`, `explain-contact`, `breakdown`, `overlap`,
`match`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from headcount.answers import Scalar
from headcount.cli.options import (
    AsOf,
    Data,
    ForSend,
    OutputFormat,
    Segment,
    Server,
    TimeZone,
    WorkspaceName,
    asked,
    instant,
)
from headcount.cli.output import (
    Format,
    cell,
    columns,
    doubts,
    plain,
    write_document,
    write_lines,
    write_rows,
)
from headcount.cli.segment import saved_names
from headcount.cli.target import Target, opened
from headcount.query.breakdown import TOP, Breakdown
from headcount.query.explain import Explained
from headcount.query.explain_contact import Verdict
from headcount.query.explain_contact_text import contact_text
from headcount.query.explain_text import explanation_text
from headcount.query.histogram import Calendar, EqualWidth, Histogram, Layout
from headcount.query.literals import write_string
from headcount.query.preview import SAMPLE
from headcount.query.profile import Operator, Profile
from headcount.query.profile_text import profile_text
from headcount.query.tree import Unit


class Period(StrEnum):
    """A calendar period that a histogram has one range for."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Saved segments; all if none.")
]


def preview(
    segment: Segment,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    fields: Annotated[
        str, typer.Option("--fields", metavar="A,B", help="Fields to print beside the ids.")
    ] = "",
    size: Annotated[
        int, typer.Option("--size", min=0, help="How many contacts of the segment to show.")
    ] = SAMPLE,
    for_send: ForSend = False,
    editing: Annotated[
        str, typer.Option("--editing", metavar="NAME", help="The saved segment that it replaces.")
    ] = "",
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print how many contacts a segment and each of its conditions hold, and some of them."""
    names = [name.strip() for name in fields.split(",") if name.strip()]
    when = instant(as_of)
    with opened(data, server, workspace) as target:
        found = target.preview(
            asked(segment),
            fields=names,
            size=size,
            for_send=for_send,
            editing=editing,
            as_of=when,
            time_zone=time_zone,
        )
    doubts(found.warnings)
    if output is Format.JSON:
        write_document(
            {
                "count": found.count,
                "contacts": found.contacts,
                "text": found.text,
                "conditions": [{"text": c.text, "count": c.count} for c in found.conditions],
                "warnings": [warning.to_dict() for warning in found.warnings],
                "sample": [
                    {"id": c.id, **{name: plain(v) for name, v in c.fields.items()}}
                    for c in found.sample
                ],
            }
        )
    elif output is Format.CSV:
        rows = [(condition.count, condition.text) for condition in found.conditions]
        write_rows(["count", "text"], [(found.count, found.text), *rows])
    else:
        write_lines([f"{found.count:,} of {found.contacts:,} contacts"])
        write_lines(f"  {one.count:>12,}  {one.text}" for one in found.conditions)
        write_lines(
            columns(contact.id, *(contact.fields.get(name) for name in names))
            for contact in found.sample
        )


def explain(
    segment: Segment,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    profile: Annotated[
        bool, typer.Option("--profile", help="Print where the time goes instead.")
    ] = False,
    blocks: Annotated[
        bool, typer.Option("--blocks", help="With --profile: each block of contacts, too.")
    ] = False,
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print a segment part by part: what each holds, and what the whole would hold without it."""
    when = instant(as_of)
    if blocks and not profile:
        raise typer.BadParameter("--blocks goes with --profile")
    with opened(data, server, workspace) as target:
        if profile:
            profiled = target.profile(asked(segment), as_of=when, time_zone=time_zone)
            _write_profile(profiled, output, blocks=blocks)
            return
        found = target.explain(asked(segment), as_of=when, time_zone=time_zone)
    if output is Format.JSON:
        write_document(found.to_dict())
    elif output is Format.CSV:
        doubts(found.warnings)
        header = ["depth", "kind", "text", "count", "without", "missing", "found", "milliseconds"]
        write_rows(header, _part_rows(found.root, 0))
    else:
        write_lines([explanation_text(found)])


def _write_profile(found: Profile, output: Format, *, blocks: bool) -> None:
    if output is Format.JSON:
        write_document(found.to_dict())
    elif output is Format.CSV:
        header = ["depth", "text", "calls", "recalled", "rows", "bytes", "self ms", "ms"]
        write_rows(header, _operator_rows(found.root, 0))
    else:
        write_lines([profile_text(found, blocks=blocks)])


def _operator_rows(one: Operator, depth: int) -> Iterator[Sequence[object]]:
    text = f"not {one.text}" if one.negated else one.text
    milliseconds = round(one.seconds * 1e3, 3), round(one.total * 1e3, 3)
    yield (depth, text, one.calls, one.recalled, one.rows, one.bytes, *milliseconds)
    for part in one.parts:
        yield from _operator_rows(part, depth + 1)


def _part_rows(part: Explained, depth: int) -> Iterator[Sequence[object]]:
    milliseconds = round(part.seconds * 1e3, 3)
    yield (
        depth, part.kind, part.text, part.count, part.without, part.missing, part.found,
        milliseconds,
    )  # fmt: skip
    for inner in part.parts:
        yield from _part_rows(inner, depth + 1)


def explain_contact(
    segment: Segment,
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")],
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print why one contact is in a segment, or is not."""
    when = instant(as_of)
    with opened(data, server, workspace) as target:
        found = target.explain_contact(asked(segment), contact, as_of=when, time_zone=time_zone)
    if output is Format.JSON:
        write_document(found.to_dict())
    elif output is Format.CSV:
        write_rows(["depth", "kind", "text", "holds", "values"], _verdict_rows(found.root, 0))
    else:
        write_lines([contact_text(found)])


def _verdict_rows(part: Verdict, depth: int) -> Iterator[Sequence[object]]:
    values = [f"{one.text}: {cell(one.value)}" for one in part.values]
    yield depth, part.kind, part.text, part.holds, values
    for inner in part.parts:
        yield from _verdict_rows(inner, depth + 1)


def breakdown(
    segment: Segment,
    by: Annotated[
        str,
        typer.Option("--by", metavar="VALUE", help="A field, or any value: `count(purchase)`."),
    ],
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    top: Annotated[int, typer.Option("--top", min=0, help="How many of the values.")] = TOP,
    ranges: Annotated[
        int | None, typer.Option("--ranges", min=1, help="So many ranges, not values.")
    ] = None,
    every: Annotated[
        Period | None, typer.Option("--every", help="Ranges of the calendar, not values.")
    ] = None,
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print how many contacts of a segment have each value of something, and how many none."""
    if ranges is not None and every is not None:
        raise typer.BadParameter("say either --ranges or --every")
    layout: Layout | None = None
    if ranges is not None:
        layout = EqualWidth(ranges)
    elif every is not None:
        layout = Calendar(Unit(every.value))
    when = instant(as_of)
    query = asked(segment)
    with opened(data, server, workspace) as target:
        if layout is None:
            _write_values(
                target.breakdown(query, by, top=top, as_of=when, time_zone=time_zone), output
            )
        else:
            _write_ranges(
                target.histogram(query, by, layout, as_of=when, time_zone=time_zone), output
            )


def _write_values(found: Breakdown, output: Format) -> None:
    doubts(found.warnings)
    if output is Format.JSON:
        write_document(
            {
                "by": found.by,
                "count": found.count,
                "missing": found.missing,
                "missing_share": found.missing_share,
                "others": found.others,
                "distinct": found.distinct,
                "values": [{"value": plain(b.value), "count": b.count} for b in found.bars],
            }
        )
    elif output is Format.CSV:
        write_rows(["value", "count"], [(bar.value, bar.count) for bar in found.bars])
    else:
        rows = [(cell(bar.value), bar.count) for bar in found.bars]
        write_lines(_bars(rows, found.others, found.missing, found.count))


def _write_ranges(found: Histogram, output: Format) -> None:
    doubts(found.warnings)
    if output is Format.JSON:
        write_document(
            {
                "by": found.by,
                "count": found.count,
                "missing": found.missing,
                "missing_share": found.missing_share,
                "beyond": found.beyond,
                "buckets": [
                    {
                        "low": plain(b.low),
                        "high": plain(b.high),
                        "closed": b.closed,
                        "count": b.count,
                    }
                    for b in found.buckets
                ],
            }
        )
    elif output is Format.CSV:
        rows = [(one.low, one.high, one.closed, one.count) for one in found.buckets]
        write_rows(["low", "high", "closed", "count"], rows)
    else:
        lines = [(f"{cell(b.low)} to {_end(b.high, b.closed)}", b.count) for b in found.buckets]
        write_lines(_bars(lines, found.beyond, found.missing, found.count))


def _end(high: Scalar, closed: bool) -> str:
    return cell(high) if closed else f"before {cell(high)}"


def _bars(rows: Sequence[tuple[str, int]], others: int, missing: int, count: int) -> Iterator[str]:
    """Yield a line a value with its share, then those with others and with none."""
    shown = [(columns(text), number) for text, number in rows]
    shown += [("(others)", others), ("(no value)", missing)]
    wide = max(len(text) for text, _ in shown)
    for text, number in shown:
        share = number / count if count else 0.0
        yield f"{text:<{wide}} {number:>12,} {share:>7.1%}"


def overlap(
    names: Names = None,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print how many contacts each two of some saved segments share, and how alike they are."""
    when = instant(as_of)
    with opened(data, server, workspace) as target:
        chosen, queries = _saved(target, names)
        found = target.overlap(queries, as_of=when, time_zone=time_zone)
    pairs = [
        (chosen[i], chosen[j], found.shared[i][j], round(found.jaccard(i, j), 4))
        for i in range(len(chosen))
        for j in range(i + 1, len(chosen))
    ]
    if output is Format.JSON:
        write_document(
            {
                "contacts": found.contacts,
                "names": chosen,
                "sizes": list(found.sizes),
                "shared": [list(row) for row in found.shared],
                "jaccard": [
                    [round(found.jaccard(i, j), 6) for j in range(len(chosen))]
                    for i in range(len(chosen))
                ],
            }
        )
    elif output is Format.CSV:
        write_rows(["segment", "other", "shared", "jaccard"], pairs)
    else:
        write_lines(
            columns(name, f"{size:,}") for name, size in zip(chosen, found.sizes, strict=True)
        )
        write_lines(
            columns(f"{one} & {other}", f"{shared:,}", f"{alike:g}")
            for one, other, shared, alike in pairs
        )


def match(
    contacts: Annotated[list[str], typer.Argument(metavar="CONTACT...", help="Ids of contacts.")],
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    segments: Annotated[
        list[str] | None,
        typer.Option("--segment", metavar="NAME", help="A saved segment; all if none is named."),
    ] = None,
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print which of some saved segments hold each of some contacts."""
    when = instant(as_of)
    with opened(data, server, workspace) as target:
        chosen, queries = _saved(target, segments)
        found = target.match(queries, contacts, as_of=when, time_zone=time_zone)
    for one in found.matches:
        held = None if one.segments is None else [chosen[place] for place in one.segments]
        if output is Format.JSON:
            write_document({"contact": one.contact, "known": held is not None, "segments": held})
        elif output is Format.TEXT:
            write_lines(
                [columns(one.contact, "unknown contact" if held is None else ", ".join(held))]
            )
    if output is Format.CSV:
        rows = [
            (one.contact, chosen[place]) for one in found.matches for place in one.segments or ()
        ]
        write_rows(["contact", "segment"], rows)


def _saved(target: Target, names: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the names of saved segments, all if none is given, and the queries that they are."""
    chosen = list(names) if names else list(saved_names(target))
    return chosen, [f"in segment {write_string(name)}" for name in chosen]
