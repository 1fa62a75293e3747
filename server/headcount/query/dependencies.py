"""
Dependencies: what is built from named things of its own kind, in an order that can be built.

Calculated fields use each other, and so do saved segments. A cycle of them has no meaning; it is
found here and named by its path, as people read it: a uses b, which uses a.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter


class CircularError(Exception):
    """Something uses itself; `path` begins and ends with it, each entry using the next."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(shown(path))
        self.path = path


def shown(path: Collection[str]) -> str:
    """Return a path of names as text: `a` → `b` → `a`."""
    return " → ".join(f"`{name}`" for name in path)


def in_order(uses: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """
    Return every name that occurs in *uses*, each after those that it uses.

    Does not recurse; O(names + uses). The same mapping gives the same order.

    Raises:
        CircularError: some names use each other in a circle; the path begins with the one of
            them that comes first in *uses*.
    """
    try:
        return tuple(TopologicalSorter(uses).static_order())
    except CycleError as error:
        circle = error.args[1][:0:-1]  # graphlib names the used before the user, and one twice
        place = {name: at for at, name in enumerate(uses)}
        start = min(range(len(circle)), key=lambda i: place[circle[i]])
        raise CircularError((*circle[start:], *circle[:start], circle[start])) from None
