"""
Mappings whose values are made when they are first asked for, or by other threads meanwhile.

A small block that a write has just made holds its contacts as they came; which of its fields a
query will ever ask about is not known. Making all indexes of a block of one contact takes 11 ms (15
fields, 11 event types), two of them 0.6.

A large block is made of dozens of indexes that do not depend on each other. Two threads make them
in 2.2 s where one takes 4 (a million contacts, ten million events): numpy and Arrow leave the
interpreter alone for most of it, and the first indexes are written while the last are made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


class _Made(dict[str, T]):
    """The values that were made; the others are made as they are missed."""

    names: Container[str]
    make: Callable[[str], T]

    def __missing__(self, name: str) -> T:
        if name not in self.names:
            raise KeyError(name)
        return self.setdefault(name, self.make(name))


class Lazy(Mapping[str, T]):
    """
    Values by name, each made once by *make*, in the order of *names*. Any thread may ask.

    Two threads that ask at once may both make a value; all get the same one.
    """

    def __init__(self, names: Iterable[str], make: Callable[[str], T]) -> None:
        """Take *names*, which must not change: a commit makes ten of these, and copies none."""
        self._names: Collection[str]
        if type(names) is dict:
            self._names = names
        else:
            self._names = names._names if isinstance(names, Lazy) else dict.fromkeys(names)
        self._made: _Made[T] = _Made()
        self._made.names, self._made.make = self._names, make

    def __getitem__(self, name: str) -> T:
        """Return the value of *name*. `KeyError` when it is none of the names."""
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    @property
    def held(self) -> Mapping[str, T]:
        """The values that were made so far."""
        return dict(self._made)


def held(values: Mapping[str, T]) -> Mapping[str, T]:
    """Return those of *values* that are in memory."""
    return values.held if isinstance(values, Lazy) else values


class Promised(Mapping[str, T]):
    """Values by name that other threads are making; asking for one waits for it."""

    def __init__(self, futures: Mapping[str, Future[T]]) -> None:
        self._futures = futures

    def __getitem__(self, name: str) -> T:
        """Return the value of *name*, or raise what making it raised."""
        return self._futures[name].result()

    def __iter__(self) -> Iterator[str]:
        return iter(self._futures)

    def __len__(self) -> int:
        return len(self._futures)


def made(
    sources: Mapping[str, S],
    make: Callable[[S], T],
    pool: Executor | None,
    first: Callable[[S], bool] = lambda _: False,
) -> Mapping[str, T]:
    """
    Return what *make* makes of each of *sources*, now or, with a *pool*, promised by its threads.

    Those that are *first*, because they take longest, are begun first.
    """
    if pool is None:
        return {name: make(source) for name, source in sources.items()}
    order = sorted(sources, key=lambda name: not first(sources[name]))
    futures = {name: pool.submit(make, sources[name]) for name in order}
    return Promised({name: futures[name] for name in sources})
