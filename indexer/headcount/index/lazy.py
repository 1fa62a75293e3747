"""
Lazy: a mapping whose values are made when they are first asked for.

A small block that a write has just made holds its contacts as they came; which of its fields a
query will ever ask about is not known. Making all indexes of a block of one contact takes 11 ms (15
fields, 11 event types), two of them 0.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Lazy(Mapping[str, T]):
    """
    Values by name, each made once by *make*, in the order of *names*. Any thread may ask.

    Two threads that ask at once may both make a value; all get the same one.
    """

    def __init__(self, names: Iterable[str], make: Callable[[str], T]) -> None:
        self._names = dict.fromkeys(names)
        self._make = make
        self._made: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """Return the value of *name*. `KeyError` when it is none of the names."""
        found = self._made.get(name)
        if found is None:
            if name not in self._names:
                raise KeyError(name)
            found = self._made.setdefault(name, self._make(name))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names
