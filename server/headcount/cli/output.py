"""
What the command line writes: results to standard output in one of three formats, all else to
standard error.

`text` is for people and for `xargs`, and nothing in it steers a terminal. `json` is one document
(or one a line, for members), `csv` has a header. A progress bar is drawn on a terminal only;
elsewhere a plain line every few seconds.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from headcount.query.bound import QueryWarning

errors = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


# Names and values may hold any character. What steers a terminal, or turns the direction of its
# text around, is shown as an escape, as Python writes it.
_STEERING = {
    code: ascii(chr(code))[1:-1]
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_BUT_LAYOUT = {code: shown for code, shown in _STEERING.items() if chr(code) not in "\t\n"}


def harmless(text: str) -> str:
    """Return *text* with escapes for what steers a terminal, but for tabs and ends of lines."""
    return text if text.isprintable() else text.translate(_BUT_LAYOUT)


def columns(*values: object) -> str:
    """Return one line of *values* with tabs between; no value adds a column or a line."""
    return "\t".join(
        text if text.isprintable() else text.translate(_STEERING) for text in map(cell, values)
    )


def complain(message: str) -> None:
    """Write an error to standard error."""
    errors.print(f"headcount: {harmless(message)}", markup=False)


def note(message: str) -> None:
    """Write something that is not a result to standard error."""
    errors.print(harmless(message), markup=False)


def doubts(warnings: Iterable[QueryWarning]) -> None:
    """Write what looks wrong in a segment to standard error."""
    for warning in warnings:
        place = warning.position
        where = "" if place is None else f" (line {place.line}, column {place.column})"
        note(f"warning: {warning.message}{where}")


def plain(value: object) -> object:
    """Return *value* as JSON holds it: dates and times as ISO text, sets as lists."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(item) for item in value]
    return value


def write_document(document: Mapping[str, object]) -> None:
    """Write one JSON document on one line."""
    shown = {name: plain(value) for name, value in document.items()}
    sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")


def write_lines(lines: Iterable[str]) -> None:
    """Write lines of text, made harmless, flushing at the end."""
    for line in lines:
        sys.stdout.write(harmless(line) + "\n")
    sys.stdout.flush()


def write_rows(header: Sequence[str] | None, rows: Iterable[Sequence[object]]) -> None:
    """Write CSV, with a header unless it is None; several values of one cell are joined by `;`."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if header is not None:
        writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)


def cell(value: object) -> str:
    """Return *value* as the text of one cell; a missing value is empty."""
    if value is None:
        return ""
    shown = plain(value)
    if isinstance(shown, list):
        return ";".join(str(item) for item in shown)
    if isinstance(shown, bool):
        return "true" if shown else "false"
    if isinstance(shown, float) and shown.is_integer() and abs(shown) < 1e16:
        return str(int(shown))
    return str(shown)


def counted(count: int, what: str) -> str:
    """Return a number of things: `1 row`, `2,000 rows`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Return a number of bytes in a unit that reads well: `1.5 MB`."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
