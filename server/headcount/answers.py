"""
Answers: what comes back, whoever is asked: a server through a client, or a folder of data.

Plain frozen values, the same from `headcount.client` and `headcount.embedded`, so that a program
moves from one to the other by changing one line.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from headcount.index.view import Version
from headcount.model.changes import Refusal
from headcount.model.errors import UserError
from headcount.query.bound import QueryWarning
from headcount.segments.audience import Funnel

Scalar = str | float | bool | dt.date | dt.datetime | list[str]


@dataclass(frozen=True, slots=True)
class Info:
    """
    What an answer says of itself: the same `as_of` and `version` give the same answer again.

    `as_of` is in UTC, `time_zone` the IANA zone in which days were read, `elapsed` the seconds that
    were worked on it, the network's time not included.
    """

    as_of: dt.datetime
    time_zone: str
    version: Version
    elapsed: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The size of a segment, and what looks wrong in it."""

    count: int
    info: Info
    warnings: tuple[QueryWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """How many contacts were written to a file, and what they are true of."""

    count: int
    info: Info


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whom an audience may be sent to, in numbers."""

    funnel: Funnel
    info: Info


@dataclass(frozen=True, slots=True)
class Frozen:
    """An audience that was written to a file: `file` is its path, or its name on the server."""

    file: str
    funnel: Funnel
    info: Info


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact's id, and those of the chosen fields that have a value, by declared name."""

    id: str
    fields: dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class Membership:
    """What a contact has to do with one list: on it (`member`), and wants no more (`opted_out`)."""

    list: str
    member: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class ContactState:
    """
    One contact as it is: its fields as in `Contact`, its labels and lists by name.

    `suppressed` says whether its id is on the account's suppression list.
    """

    id: str
    fields: dict[str, Scalar]
    labels: tuple[str, ...] = ()
    lists: tuple[Membership, ...] = ()
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class WriteResult:
    """
    What became of a write: what was `accepted` is on disk and visible from `version` on.

    `refused` are the reasons of the first refused records (1,000 unless the server's setting is
    another), `refused_count` says how many there are. `repeated` events were there already, and
    are in neither number. `already` is true when a write with the same request id was taken before:
    nothing was written, and the rest is the answer of then.
    """

    accepted: int
    refused_count: int
    refused: tuple[Refusal, ...]
    repeated: int
    already: bool
    version: Version


@dataclass(frozen=True, slots=True)
class Page:
    """Some members of a segment; `next_token` asks for those after them, "" when there are none."""

    contacts: tuple[Contact, ...]
    next_token: str
    info: Info
    warnings: tuple[QueryWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """
    What is wrong with a segment.

    `text` is its canonical text, "" when it could not be read. It can be asked if there are no
    `errors`.
    """

    text: str
    errors: tuple[UserError, ...]
    warnings: tuple[QueryWarning, ...]
    info: Info


@dataclass(frozen=True, slots=True)
class SavedSegment:
    """
    A segment that is kept under a name; `text` is canonical, times are in UTC.

    `dependants` are the names of the saved segments that use it directly; of those in lists it is
    empty. `warnings` are what looked wrong when it was saved just now.
    """

    name: str
    text: str
    description: str
    tags: tuple[str, ...]
    etag: str
    created_at: dt.datetime
    updated_at: dt.datetime
    dependants: tuple[str, ...] = ()
    warnings: tuple[QueryWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedPage:
    """Some saved segments by name; `next_token` asks for those after them, "" when none are."""

    segments: tuple[SavedSegment, ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class ReadyTemplate:
    """
    A ready-made segment: its name, whom it finds, its text, what it is used for.

    It is `usable` if the workspace has all that it `needs`: each in words, with what to do in order
    to have it, "" where nothing is to be done.
    """

    name: str
    finds: str
    text: str
    uses: tuple[str, ...]
    usable: bool
    needs: tuple[tuple[str, str], ...]
