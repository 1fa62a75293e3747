"""Answers about watches: what they are, and who entered and left."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from headcount.index.view import Version
from headcount.segments.watch.transitions import Kind, Reason, Settings


@dataclass(frozen=True, slots=True)
class Transition:
    """A contact that entered or left, when and why; `contact` is empty once it was erased."""

    number: int
    contact: str
    kind: Kind
    reason: Reason
    at: dt.datetime
    version: Version


@dataclass(frozen=True, slots=True)
class Told:
    """
    Some transitions in order; `token` goes on behind them.

    Everything that happened up to `instant` was told with this message or before.
    """

    transitions: tuple[Transition, ...]
    token: str
    instant: dt.datetime
    version: Version


@dataclass(frozen=True, slots=True)
class NamedWatch:
    """
    A watch that has a name, its size, and the token behind its last transition.

    `fault` says why it is not at work, "" if it is. `endpoint` is where transitions are delivered,
    up to number `delivered`. Without `exact` it looks once a second.
    """

    name: str
    text: str
    time_zone: str
    settings: Settings
    created_at: dt.datetime
    size: int
    number: int
    token: str
    fault: str
    endpoint: str
    delivered: int
    exact: bool


@dataclass(frozen=True, slots=True)
class WatchPage:
    """Some watches by name; `next_token` asks for those after them, "" when none are."""

    watches: tuple[NamedWatch, ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Transitions that an endpoint did not take, after so many attempts, and why."""

    id: int
    first: int
    last: int
    attempts: int
    at: dt.datetime
    error: str


@dataclass(frozen=True, slots=True)
class Redelivered:
    """How many dead letters were taken, and how many are left."""

    delivered: int
    left: int
