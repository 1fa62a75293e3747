"""
One cell: what a single value means for a field, or why it cannot be stored.

These functions are the rules. `coerce` does the same to whole columns and comes here for the values
that its fast ways do not take, so the reasons are written once, in the words of the person who has
to mend the file. A value arrives as what the file format makes of it: text from CSV; text, numbers,
booleans, lists or objects from JSON.

    number     12.5 -3 1e3        not 1,234.50  $5  NaN  N/A, nor what a double cannot hold exactly
    boolean    true false yes no t f 1 0, in any case
    date       2026-04-03         not 03/04/2026, which is two days, nor 2026-4-3
    datetime   RFC 3339; without an offset in the workspace's time zone; or seconds since 1970, or
               milliseconds from 1e11 on (as seconds that is the year 5138, as ms it is 1973)
    keywords   a list, or text with `;` between the values
    id         text or a whole number, 1 to 256 bytes of UTF-8

Empty text, null and an empty set are missing values and come back as None. `NULL` and `N/A` are
text like any other: only an empty cell is missing.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from decimal import Context, Decimal
from zoneinfo import ZoneInfo

import numpy as np

from headcount.load.wall import DAY_US, EPOCH, FIRST_US, LAST_US, SECOND_US, to_utc

MAX_EXACT = 2**53  # whole numbers up to here are exact as doubles
MAX_ID_BYTES = 256
MAX_TEXT_BYTES = 1 << 16
MILLISECONDS_FROM = 10**11
DAY_LIKE = (1900_00_00, 2101_00_00)  # such numbers are days to some; as seconds, all are in 1970

_TRUE = frozenset({"true", "t", "yes", "1"})
_FALSE = frozenset({"false", "f", "no", "0"})

# Arithmetic on texts of up to `_MAX_DIGITS` digits without rounding.
_MAX_DIGITS = 400
_EXACT = Context(prec=1000)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?[\d.]*,\d+", re.ASCII)
_CURRENCY = re.compile(r"[+-]?[$€£¥]|[$€£¥%]$")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_DAY_FIRST = re.compile(r"\d{1,2}([/.-])\d{1,2}\1(\d{4}|\d\d)\b", re.ASCII)
_LOOSE_DATE = re.compile(r"\d{4}[/.-]\d{1,2}[/.-]\d{1,2}\b", re.ASCII)
_MIDNIGHT = re.compile(r"[Tt ]00(:00(:00(\.0+)?)?)?", re.ASCII)
_TIME = re.compile(
    r"[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(?: ?([Zz]|[+-]\d\d(?::?\d\d)?))?", re.ASCII
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")

_MISSING = "; leave the cell empty if the value is missing"
_DATE_EXPECTED = "expected a date such as 2026-04-03"
_OUTSIDE = "outside the years 1 to 9999; as a number, write seconds or milliseconds since 1970"
_TIME_EXPECTED = "expected a time such as 2026-04-03T15:30:00Z"


class Refusal(ValueError):  # noqa: N818 - not a fault: an answer about a value
    """Why a value cannot be stored. Names no value, so that equal causes count together."""


def shown(value: object, limit: int = 120) -> str:
    """Return *value* as text for a message or a rejects file, shortened to *limit*."""
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def string(value: object) -> str | None:
    """Return the text of a keyword or text field; whole numbers become their digits."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Refusal(f"expected text, found {_kind(value)}")
    if len(value) > MAX_TEXT_BYTES or len(value.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise Refusal(f"text is over {MAX_TEXT_BYTES:,} bytes")
    if not value.isascii():
        _encodable(value)
    return value


def contact_id(value: object) -> str:
    """Return a contact's id; a missing one is refused too."""
    if isinstance(value, (float, Decimal)):
        raise Refusal("an id is text or a whole number; 1.0 or 1e6 is neither")
    text = string(value)
    if text is None:
        raise Refusal("the id is missing")
    if len(text.encode()) > MAX_ID_BYTES:
        raise Refusal(f"an id has at most {MAX_ID_BYTES} bytes")
    if text != text.strip():
        raise Refusal("the id has spaces around it; remove them")
    if _UNPRINTABLE.search(text):
        raise Refusal("the id holds a control character such as a tab or a line break")
    return text


def event_id(value: object) -> str | None:
    """Return an event's own id, None where it has none."""
    if isinstance(value, (float, Decimal)):
        raise Refusal("an id is text or a whole number; 1.0 or 1e6 is neither")
    text = string(value)
    if text is not None and len(text.encode()) > MAX_ID_BYTES:
        raise Refusal(f"an id has at most {MAX_ID_BYTES} bytes")
    return text


def choice(value: object, canonical: Mapping[str, str], case_sensitive: bool) -> str | None:
    """Return the spelling in *canonical* (key: folded, or exact if *case_sensitive*) of *value*."""
    text = string(value)
    text = text.strip() if text is not None else None
    if not text:
        return None
    found = canonical.get(text if case_sensitive else text.casefold())
    if found is None:
        raise Refusal(f"expected one of {', '.join(canonical.values())}")
    return found


def keywords(value: object) -> list[str] | None:
    """Return the distinct values of a set, trimmed, in the order given; None when there is none."""
    if value is None:
        return None
    if isinstance(value, str):
        parts: list[object] = list(value.split(";"))
    elif isinstance(value, (list, tuple)):
        parts = list(value)
    else:
        parts = [value]
    texts = (string(part) for part in parts)
    kept = dict.fromkeys(text.strip() for text in texts if text is not None)
    kept.pop("", None)
    return list(kept) or None


def boolean(value: object) -> bool | None:
    """Return a truth value."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().casefold()
        if not word:
            return None
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise Refusal("expected true or false (or yes, no, 1, 0)" + _MISSING)
    raise Refusal(f"expected true or false, found {_kind(value)}")


def number(value: object) -> float | None:
    """Return a finite double that is exactly the number given, as it would be printed."""
    if value is None:
        return None
    if type(value) is int and -MAX_EXACT <= value <= MAX_EXACT:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise Refusal(f"expected a number, found {_kind(value)}")
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or len(text) > _MAX_DIGITS:
            raise Refusal(_not_a_number(text))
        given = Decimal(text)
    else:
        if isinstance(value, float) and not math.isfinite(value):
            raise Refusal("NaN and infinities are not numbers" + _MISSING)
        given = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if _EXACT.abs(given) > MAX_EXACT:
        raise Refusal(
            f"over {MAX_EXACT:,}, where numbers stop being exact; declare an identifier a keyword"
        )
    found = float(given)
    if Decimal(repr(found)) != given:
        raise Refusal(
            "more digits than a number holds exactly (15); round it, or declare a keyword"
        )
    return found + 0.0  # -0.0 is 0


def date(value: object) -> int | None:
    """Return a calendar day, as days since 1970-01-01."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refusal(f"{_DATE_EXPECTED}, found {_kind(value)}")
    text = value.strip()
    if not text:
        return None
    match = _DATE.match(text)
    if not match:
        raise Refusal(_not_a_date(text, _DATE_EXPECTED))
    rest = text[match.end() :]
    if rest and not _MIDNIGHT.fullmatch(rest):
        if _TIME.fullmatch(rest):
            raise Refusal("a date has no clock time; declare the field a datetime, or cut the time")
        raise Refusal(_not_a_date(text, _DATE_EXPECTED))
    return (_midnight(match) - EPOCH).days


def instant(value: object, zone: ZoneInfo) -> int | None:
    """Return an instant, as µs since 1970 UTC; clock times without an offset are *zone*'s."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise Refusal(f"{_TIME_EXPECTED}, found {_kind(value)}")
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or len(text) > _MAX_DIGITS:
            return _within_years(_clock_time(text, zone))
        return _within_years(_since_1970(Decimal(text)))
    return _within_years(_since_1970(value))


def _clock_time(text: str, zone: ZoneInfo) -> int:
    match = _DATE.match(text)
    if not match:
        raise Refusal(_not_a_date(text, _TIME_EXPECTED))
    clock = (_midnight(match) - EPOCH).days * DAY_US
    rest = text[match.end() :]
    if not rest:
        return _local(clock, zone)
    time = _TIME.fullmatch(rest)
    if not time:
        raise Refusal(_TIME_EXPECTED)
    hour, minute, second = (int(part or 0) for part in time.group(1, 2, 3))
    if second == 60 and minute == 59:
        raise Refusal("leap seconds cannot be stored; write :59 or the next :00")
    if hour > 23 or minute > 59 or second > 59:
        raise Refusal("there is no such clock time")
    fraction = time[4] or ""
    if fraction[6:].strip("0"):
        raise Refusal("times are stored in microseconds; give at most 6 decimals")
    clock += ((hour * 60 + minute) * 60 + second) * SECOND_US + int(fraction[:6].ljust(6, "0"))
    if time[5] is None:
        return _local(clock, zone)
    return clock - _offset(time[5])


def _local(clock: int, zone: ZoneInfo) -> int:
    return int(to_utc(np.array([clock], dtype=np.int64), zone)[0])


def _offset(text: str) -> int:
    """Return the offset written as Z, +02, +0200 or +02:00, in µs."""
    if text in "Zz":
        return 0
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        raise Refusal("there is no such offset from UTC")
    return (hours * 60 + minutes) * 60 * SECOND_US * (-1 if text[0] == "-" else 1)


def _since_1970(value: int | float | Decimal) -> int:
    """Return the instant that a plain number means: seconds, or milliseconds from 1e11 on."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Refusal(_TIME_EXPECTED + ", found NaN or an infinity")
    if not -LAST_US <= value <= LAST_US:
        raise Refusal(_OUTSIDE)
    if DAY_LIKE[0] <= value < DAY_LIKE[1] and _is_day_like(int(value)):
        raise Refusal(
            "ambiguous: a day, or seconds since 1970? Write a day with hyphens, as 2024-03-10"
        )
    unit = SECOND_US if -MILLISECONDS_FROM < value < MILLISECONDS_FROM else SECOND_US // 1000
    if isinstance(value, float):
        return round(value * unit)  # a double of today's seconds is within 0.2 µs of what was meant
    micros = _EXACT.multiply(Decimal(value), Decimal(unit))
    if micros != int(micros):
        raise Refusal("times are stored in microseconds; give at most 6 decimals of a second")
    return int(micros)


def _is_day_like(value: int) -> bool:
    """Return whether the digits of a number would be a day, written without hyphens."""
    return 1 <= value // 100 % 100 <= 12 and 1 <= value % 100 <= 31


def _within_years(micros: int) -> int:
    if not FIRST_US <= micros <= LAST_US:
        raise Refusal(_OUTSIDE)
    return micros


def _midnight(match: re.Match[str]) -> dt.datetime:
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    try:
        return dt.datetime(year, month, day)  # noqa: DTZ001 - a calendar day
    except ValueError as error:
        raise Refusal("there is no such day in the calendar") from error


def _not_a_number(text: str) -> str:
    if _THOUSANDS.fullmatch(text):
        return "a number takes no thousands separator; remove the comma"
    if _DECIMAL_COMMA.fullmatch(text):
        return "a number takes a decimal point, not a comma"
    if _CURRENCY.search(text):
        return "a number takes no currency or percent sign; remove it"
    if text.strip("+-").casefold() in ("nan", "inf", "infinity"):
        return "NaN and infinities are not numbers" + _MISSING
    return "expected a number such as 1234.50" + _MISSING


def _not_a_date(text: str, expected: str) -> str:
    if _DAY_FIRST.match(text):
        return f"ambiguous: day or month first? {expected}"
    if _LOOSE_DATE.match(text):
        return f"{expected}: hyphens, and two digits for month and day"
    return expected + _MISSING


def _encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refusal("holds half of a surrogate pair, which is not text") from error


def _kind(value: object) -> str:
    """Return what *value* is, in a file's words."""
    names = {bool: "true or false", int: "a whole number", float: "a decimal number", str: "text",
             Decimal: "a decimal number", list: "a list", dict: "an object"}  # fmt: skip
    return names.get(type(value), type(value).__name__)
