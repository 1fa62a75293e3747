"""
Records: what a client writes, one Python value each, before anything is known of its types.

gRPC messages and NDJSON lines become these; Arrow tables are columns already and never do. Values
of fields are what JSON makes of them (text, numbers, booleans, lists, None for a missing one), an
aware `datetime` or `Micros`. Nothing here is checked: an id may be anything, and is refused later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from headcount.model.changes import ListAction


class Micros(int):
    """An instant in µs since 1970 UTC, which costs a fifth of what a `datetime` does."""

    __slots__ = ()


NO_FIELDS: Mapping[str, object] = {}


class ListRecord(NamedTuple):
    """Something between a contact and a list; `time` is None for the time of the request."""

    list: object
    action: ListAction | None  # None was no action: refused
    time: object = None


class ContactRecord(NamedTuple):
    """What is new of one contact, made if there is none and `creates`."""

    id: object
    creates: bool
    fields: Mapping[str, object] = NO_FIELDS
    add_labels: Sequence[object] = ()
    remove_labels: Sequence[object] = ()
    lists: Sequence[ListRecord] = ()


class EventRecord(NamedTuple):
    """Something a contact did; with `creates` the contact is made if there is none."""

    contact: object
    type: object
    time: object
    id: object = None
    properties: Mapping[str, object] = NO_FIELDS
    creates: bool = False


class DeleteRecord(NamedTuple):
    """A contact that is no more."""

    id: object
    erase: bool = False


class MergeRecord(NamedTuple):
    """Two contacts that are one: `target` stays."""

    source: object
    target: object


class SuppressRecord(NamedTuple):
    """An id put on the account's suppression list, or taken off it."""

    id: object
    add: bool


class NoRecord(NamedTuple):
    """A record that could not be read at all, and why."""

    field: str
    message: str


Record: TypeAlias = (
    ContactRecord | EventRecord | DeleteRecord | MergeRecord | SuppressRecord | NoRecord
)


class Phase(IntEnum):
    """The order in which records of different kinds are applied, where it makes no difference."""

    UPSERT = 0
    PATCH = 1
    RECORD_CREATING = 2
    RECORD = 3
    SUPPRESS = 4
    MERGE = 5
    DELETE = 6
    ERASE = 7
