"""
Time zones by IANA name, from `zoneinfo` (the system's database, else the package `tzdata`).

A name from outside may be anything: a path, a folder of the database, four megabytes of text.
"""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from headcount.model.errors import Reason, UserError
from headcount.model.schema import nearest

_LONGEST = 64  # the longest name there is has 30


@lru_cache(maxsize=256)
def time_zone(name: str, field: str | None = None) -> ZoneInfo:
    """
    Return the time zone called *name*; *field* is where an error says the name was given.

    Raises:
        UserError: INVALID_VALUE; there is none.
    """
    if len(name) <= _LONGEST:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder, "Europe"
            pass
    shown = name if len(name) <= _LONGEST else name[:_LONGEST] + "..."
    raise UserError(
        Reason.INVALID_VALUE,
        f"expected an IANA time zone such as Europe/Berlin, found `{shown}`",
        field=field,
        suggestions=nearest(name[:_LONGEST], _names()),
    )


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    """Return the names of all time zones; walks a folder, about 20 ms, so it is remembered."""
    return frozenset(available_timezones())
