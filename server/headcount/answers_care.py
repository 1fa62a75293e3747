"""Answers about workspaces themselves: what there is, what was changed, copied, cleaned up."""

from __future__ import annotations

from dataclasses import dataclass

from headcount.care.schema_change import Unconverted
from headcount.index.view import Version
from headcount.model.schema import Schema


@dataclass(frozen=True, slots=True)
class WorkspaceInfo:
    """A workspace: its name, how many contacts it has, its version."""

    name: str
    contacts: int
    version: Version


@dataclass(frozen=True, slots=True)
class WorkspacePage:
    """Some workspaces by name; `next_token` asks for those after them, "" when none are."""

    workspaces: tuple[WorkspaceInfo, ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class SchemaUpdate:
    """
    What became of a schema: as it is now, and in words what was dropped.

    It is as it was when there are values that could not be converted: how many, and the first.
    """

    schema: Schema
    dropped: tuple[str, ...]
    unconverted_count: int
    unconverted: tuple[Unconverted, ...]
    version: Version


@dataclass(frozen=True, slots=True)
class Snapshotted:
    """A new generation: its number, the bytes of its file, the version that it holds."""

    generation: int
    bytes: int
    version: Version


@dataclass(frozen=True, slots=True)
class Compacted:
    """
    What a compaction has done; no byte of an erased contact is left in the data folder.

    `erased` are the contacts erased since the last compaction.
    """

    erased: int
    bytes_before: int
    bytes_after: int
    version: Version


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A copy: where it is, its bytes, and what is in it."""

    folder: str
    bytes: int
    workspaces: tuple[WorkspaceInfo, ...]
