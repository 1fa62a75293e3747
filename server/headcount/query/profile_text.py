"""
Profiles as text: a tree that fits a terminal, numbers to the left where they can be compared.

    4,280 of 1,000,000 contacts
    as of 2026-11-01 01:00:00+01:00 (Europe/Berlin)

    parse 0.434 ms, bind 0.310, plan 0.345, evaluate 0.728; 9 operands a block, 2.4 MB read

          ms      self        rows     bytes  calls
       0.728     0.189       4,280    785 kB      1  all of
       0.016     0.016     249,905         0      1  ├─ label in {'newsletter'}
     (0.004)   (0.004)     346,078         0      1  └─ total_spent in [50, 500]

*ms* is with all parts inside. A time in brackets is that of rows that were remembered from an
earlier query. Lines are at most 100 columns wide; wide characters count as two.
"""

from __future__ import annotations

from collections.abc import Iterator

from headcount.query.profile import BlockShare, Operator, Profile
from headcount.query.terminal import COLUMNS, clipped, room_behind, wrapped

_LINES = 3  # of an operator's text
_UNITS = (("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12))


def profile_text(profile: Profile, *, blocks: bool = False, columns: int = COLUMNS) -> str:
    """Return *profile* as lines of at most *columns* (80 or more), on request with each block."""
    assert columns >= 80, columns
    first, *rest = profile.stages.items()
    stages = [f"{first[0]} {_ms(first[1])} ms", *(f"{name} {_ms(took)}" for name, took in rest)]
    read = f"{profile.operands} operands a block, {_bytes(profile.bytes)} read"
    lines = [
        f"{profile.count:,} of {profile.contacts:,} contacts",
        f"as of {profile.as_of.isoformat(' ')} ({profile.time_zone})",
        "",
        *wrapped(f"{', '.join(stages)}; {read}", columns),
        "",
        _numbers("ms", "self", "rows", "bytes", "calls"),
        *_lines(profile.root, "", "", columns, negated=profile.negated),
    ]
    if blocks:
        lines += ["", f"{'block':>10}{'ms':>10}{'rows':>12}{'contacts':>12}"]
        lines += map(_block, profile.blocks)
    return "\n".join(line.rstrip() for line in lines)


def _lines(
    operator: Operator, first: str, rest: str, columns: int, *, negated: bool = False
) -> Iterator[str]:
    """Yield the lines of an operator; *first* and *rest* stand before its first and the others."""
    remembered = 0 < operator.calls == operator.recalled
    total, own = (
        f"({_ms(took)})" if remembered else _ms(took) for took in (operator.total, operator.seconds)
    )
    numbers = _numbers(
        total, own, f"{operator.rows:,}", _bytes(operator.bytes), f"{operator.calls:,}"
    )
    if not operator.calls:
        numbers = _numbers("", "", "", "", "0")
    blank, room = " " * len(numbers), columns - len(numbers)
    title = f"{'not ' if negated or operator.negated else ''}{operator.text}"
    for number, line in enumerate(wrapped(title, room_behind(first, room))):
        if number == _LINES:
            yield blank + clipped(rest, room) + "..."
            break
        yield (blank if number else numbers) + clipped(rest if number else first, room) + line
    for place, part in enumerate(operator.parts):
        last = place == len(operator.parts) - 1
        branch, trunk = ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield from _lines(part, rest + branch, rest + trunk, columns)


def _block(share: BlockShare) -> str:
    return f"{share.number:>10,}{_ms(share.seconds):>10}{share.count:>12,}{share.contacts:>12,}"


def _numbers(total: str, own: str, rows: str, read: str, calls: str) -> str:
    return f"{total:>10}{own:>10}{rows:>12}{read:>10}{calls:>7}  "


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3f}"


def _bytes(size: int) -> str:
    """Return a number of bytes in the unit in which it has up to three digits before the point."""
    if size < 1_000:
        return str(size)
    unit, factor = next(one for one in _UNITS if size < 999.5 * one[1])
    value = size / factor
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
