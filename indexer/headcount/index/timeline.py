"""
A timeline: the instants of a log in order, at four bytes each and exact to the microsecond.

An instant is cut in two, `steps = (time - origin) / unit`, a step being a second, a millisecond or
a microsecond, the largest that divides every distance. The low 32 bits are kept per event, the rest
once for each span of events that share it:

    low     uint32[n]   steps mod 2^32, ascending within a span
    high    int64[s]    steps >> 32 of each span, ascending
    starts  int64[s]    position of each span's first event

A span is 136 years of seconds, 49 days of milliseconds or 71 minutes of microseconds, so a decade
of microseconds has at most 73,000 of them (1.2 MB). Plain int64 would be twice the size for any log
that is not in whole seconds, and real ones seldom are.

Where an instant belongs is found by two binary searches, 1 µs; decoding is one pass.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from headcount.index import parts as parts_of
from headcount.index import strings
from headcount.index.parts import Part, Parts

Instants = npt.NDArray[np.int64]  # microseconds since 1970 UTC

_UNITS = (1_000_000, 1_000, 1)  # µs in a second, a millisecond, a microsecond
_SAMPLE = 1024  # instants that rule out a unit before all are tried
_LOW_BITS = 32
_LOW_MASK = (1 << _LOW_BITS) - 1


@dataclass(frozen=True, eq=False)
class Timeline:
    """Ascending instants; see the top of the file for the fields."""

    origin: int
    unit: int
    low: npt.NDArray[np.uint32]
    high: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    @classmethod
    def build(cls, instants: Instants) -> Timeline:
        """Return the timeline of *instants* (int64[n], ascending); 15 ms per million."""
        origin = int(instants[0]) if len(instants) else 0
        distances = instants - origin
        unit = largest_unit(distances)
        if unit > 1:
            distances //= unit
        high = distances >> _LOW_BITS
        starts = np.flatnonzero(high[1:] != high[:-1]) + 1
        if len(high):
            starts = np.append(0, starts)
        return cls(origin, unit, distances.astype(np.uint32), high[starts], starts)  # mod 2^32

    def __len__(self) -> int:
        return len(self.low)

    def before(self, instant: int) -> int:
        """Return how many instants are earlier than *instant* (any integer)."""
        steps = -((self.origin - instant) // self.unit)  # rounded up: t < instant <=> step < steps
        span = bisect_left(self._highs, steps >> _LOW_BITS)
        if span == len(self._highs):
            return len(self.low)
        start = self._starts[span]
        if self._highs[span] != steps >> _LOW_BITS:
            return start
        stop = self._starts[span + 1]
        return bisect_left(self._lows, steps & _LOW_MASK, start, stop)

    def decode(self, start: int = 0, stop: int | None = None) -> Instants:
        """Return the instants at positions *start* to *stop*, as fresh int64."""
        start, stop, _ = slice(start, stop).indices(len(self.low))
        found = self.low[start:stop].astype(np.int64)
        if len(self.high) <= 1:
            return self._instants(found, 0)  # the only span starts at the origin
        first, last = np.searchsorted(self.starts, [start, stop], side="right") - 1
        spans = slice(first, last + 1)
        edges = np.append(np.maximum(self.starts[spans], start), max(start, stop))
        return self._instants(found, np.repeat(self.high[spans], np.diff(edges)))

    def take(self, positions: npt.NDArray[Any]) -> Instants:
        """Return the instants at *positions* (any integer dtype, any order), as fresh int64."""
        found = self.low[positions].astype(np.int64)
        if len(self.high) <= 1:
            return self._instants(found, 0)
        spans = np.searchsorted(self.starts, positions, side="right") - 1
        return self._instants(found, self.high[spans])

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the timeline as parts named under *prefix*."""
        yield parts_of.document(f"{prefix}about", {"origin": self.origin, "unit": self.unit})
        yield parts_of.array(f"{prefix}low", self.low)
        yield parts_of.array(f"{prefix}high", self.high)
        yield parts_of.array(f"{prefix}starts", self.starts)

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str) -> Timeline:
        """Return the timeline that `parts` wrote under *prefix*."""
        about = parts.document(f"{prefix}about")
        return cls(
            about["origin"],
            about["unit"],
            *(strings.aligned(parts.array(f"{prefix}{n}")) for n in ("low", "high", "starts")),
        )

    def memory(self) -> int:
        """Return the bytes held."""
        return self.low.nbytes + self.high.nbytes + self.starts.nbytes

    @cached_property
    def _lows(self) -> memoryview:
        return self.low.data  # bisecting the array takes three times as long

    @cached_property
    def _highs(self) -> list[int]:
        return [int(h) for h in self.high]

    @cached_property
    def _starts(self) -> list[int]:
        return [*(int(s) for s in self.starts), len(self.low)]

    def _instants(self, low: Instants, high: int | Instants) -> Instants:
        """Return *low*, changed in place to the instants whose other half is *high*."""
        low += high << _LOW_BITS
        if self.unit > 1:
            low *= self.unit
        low += self.origin
        return low


def largest_unit(distances: Instants) -> int:
    """Return the microseconds of a second, a millisecond or one: what divides every distance."""
    for unit in _UNITS[:-1]:
        if not np.any(distances[:_SAMPLE] % unit) and not np.any(distances % unit):
            return unit
    return _UNITS[-1]
