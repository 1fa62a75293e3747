"""
Literals: the text of a number, string, name, date or time to its value, and back.

Reading raises `SpanError` with the place of the literal. Writing gives the canonical spelling,
which reads back to an equal value.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from lark import Token

from headcount.model.errors import Reason
from headcount.query.lexicon import clipped, is_bare_word
from headcount.query.rules import MAX_EXACT, name_fault, text_fault
from headcount.query.scanner import SpanError, time_kind

_ESCAPES: Mapping[str, str] = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_WRITTEN: Mapping[str, str] = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")  # how JSON writes one beyond U+FFFF
_WHOLE = re.compile(r"[0-9]+(_[0-9]+)*")


def misplaced(token: Token, message: str, reason: Reason = Reason.INVALID_VALUE) -> SpanError:
    """Return the error of a value that cannot be, with the place of its token."""
    assert token.start_pos is not None
    assert token.end_pos is not None
    return SpanError(message, token.start_pos, token.end_pos, reason=reason)


def read_number(token: Token) -> float:
    """Return the double of a NUMBER, without its currency sign and separators."""
    digits = token.value.lstrip("$€£¥").replace("_", "")
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise misplaced(token, f"expected a number up to 1.8e308, found `{clipped(token.value)}`")
    digits = digits.lstrip("0")  # int() refuses thousands of digits
    if value >= MAX_EXACT and digits.isdigit() and int(value) != int(digits):
        raise misplaced(
            token,
            f"expected a number that is held exactly, found `{clipped(token.value)}`; "
            f"whole numbers are exact up to {MAX_EXACT:,} (if this is an id, put it in quotes)",
        )
    return value


def read_whole(token: Token, what: str, example: str) -> int:
    """Return the value of a NUMBER that must be whole; *what* and *example* go in the error."""
    if _WHOLE.fullmatch(token.value) is None:
        raise misplaced(
            token,
            f"expected {what}, such as `{example}`, found `{clipped(token.value)}`",
            Reason.SYNTAX,
        )
    digits = token.value.replace("_", "").lstrip("0")
    if len(digits) > 18:  # above every limit, and int() refuses thousands of digits
        raise misplaced(token, f"expected {what}, found a number of {len(digits)} digits")
    return int(digits or "0")


def write_number(value: float) -> str:
    """Return the shortest spelling of a finite number, whole ones without a point."""
    if value.is_integer() and abs(value) < MAX_EXACT:
        return str(int(value))
    return repr(value)


def read_string(token: Token) -> str:
    r"""
    Return the text of a STRING without quotes and escapes.

    `\n \t \r \\ \" \'` and `\uXXXX` are escapes. Before anything else the backslash stays, so that
    patterns (`matches "\d+"`, `like "100\%"`) are written as they are.
    """
    body: str = token.value[1:-1]
    if "\\" in body:
        body = _ESCAPE.sub(_unescape, body)
        body = _SURROGATES.sub(_join, body)
        fault = text_fault(body)
        if fault is not None:
            raise misplaced(token, fault)
    return body


def _join(found: re.Match[str]) -> str:
    return found.group().encode("utf-16", "surrogatepass").decode("utf-16")


def _unescape(found: re.Match[str]) -> str:
    escape = found.group(1)
    if len(escape) == 5:
        return chr(int(escape[1:], 16))
    return _ESCAPES.get(escape, found.group())


def write_string(value: str) -> str:
    """Return *value* in double quotes, with what cannot be seen as `\\uXXXX`."""
    if value.isprintable() and "\\" not in value and '"' not in value:
        return f'"{value}"'
    return '"' + "".join(map(_escape, value)) + '"'


def _escape(character: str) -> str:
    if character in _WRITTEN:
        return _WRITTEN[character]
    if character.isprintable() or ord(character) > 0xFFFF:
        return character
    return f"\\u{ord(character):04x}"


def read_name(token: Token) -> str:
    """Return the name of a NAME or QUOTED; two backticks inside a quoted one stand for one."""
    if token.type == "NAME":
        bare: str = token.value
        return bare
    name: str = token.value[1:-1].replace("``", "`")
    fault = name_fault(name)
    if fault is not None:
        raise misplaced(token, fault, Reason.SYNTAX)
    return name


def write_name(name: str) -> str:
    """Return *name*, in backticks where it would not be read as a name without them."""
    return name if is_bare_word(name) else write_quoted(name)


def write_quoted(name: str) -> str:
    """Return *name* in backticks."""
    return "`" + name.replace("`", "``") + "`"


def read_date(token: Token) -> dt.date:
    """Return the day of a DATE."""
    try:
        return dt.date.fromisoformat(token.value)
    except ValueError:
        raise misplaced(
            token, f"expected a day of the calendar, found `{clipped(token.value)}`"
        ) from None


def read_datetime(token: Token) -> dt.datetime:
    """Return the clock time of a DATETIME: naive, or with a fixed offset."""
    fault = misplaced(
        token, f"expected a time of the calendar and clock, found `{clipped(token.value)}`"
    )
    if token.value[11:13] == "24":  # Python 3.14 takes 24:00 for the next day's midnight
        raise fault
    try:
        return dt.datetime.fromisoformat(token.value.upper())
    except ValueError:
        raise fault from None


def quoted_time(text: str) -> dt.date | None:
    """Return the date or clock time that is spelt by a text as a token would be; None if none."""
    kind = time_kind(text)
    if kind is None:
        return None
    token = Token(kind, text, 0, end_pos=len(text))
    try:
        return read_date(token) if kind == "DATE" else read_datetime(token)
    except SpanError:
        return None  # such as 2026-02-30


def write_datetime(value: dt.datetime) -> str:
    """Return the clock time with `T`, as many fractional digits as needed and its offset."""
    offset = value.utcoffset()
    if offset is not None and offset % dt.timedelta(minutes=1):
        value = value.astimezone(dt.UTC)  # an offset is written in minutes; the instant is the same
    written = value.isoformat(timespec="microseconds" if value.microsecond else "seconds")
    return written.removesuffix("+00:00") + "Z" if written.endswith("+00:00") else written
