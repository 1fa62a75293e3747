"""Transitions: contacts entering and leaving a watched segment, each with a number, in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headcount.index.view import Version


class Kind(StrEnum):
    """What a contact did."""

    ENTER = "enter"
    EXIT = "exit"


class Reason(StrEnum):
    """Why: something was written, time went by, or the segment means something else now."""

    DATA = "data"
    TIME = "time"
    DEFINITION = "definition"


@dataclass(frozen=True, slots=True)
class Transition:
    """
    One contact entering or leaving at the instant `at` (µs), seen in the data of `version`.

    `number` rises by one from 1 within a watch. `contact` is its id, empty once it was erased.
    """

    number: int
    ordinal: int
    contact: str
    kind: Kind
    reason: Reason
    at: int
    version: Version


class Reentry(StrEnum):
    """Whether a contact that left may enter again."""

    ALWAYS = "always"
    ONCE = "once"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What a watch announces.

    With `seed` those who are members when it begins enter then; without, they are members unsaid,
    and only their leaving is told. A contact that left may enter again `ALWAYS`, never (`ONCE`), or
    not before `pause` µs are over (`AFTER`): one that belongs by then enters at that instant.
    """

    seed: bool = False
    reentry: Reentry = Reentry.ALWAYS
    pause: int = 0
