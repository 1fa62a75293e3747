"""
Freezing: an audience written to a file, with what it is of, so that it can be held to later.

A segment is never frozen by itself; but what was sent to whom is a matter of record. The file is
whole or not there, and nothing is written over an older one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from headcount.answers import Info
from headcount.members import batches, contacts
from headcount.members.member_file import MemberFile
from headcount.model.schema import Schema
from headcount.segments.audience import Resolved
from headcount.segments.documents import audience_document


def freeze(
    path: Path,
    found: Resolved,
    schema: Schema,
    workspace: str,
    info: Info,
    fields: Sequence[contacts.Column],
    check: Callable[[], None],
) -> int:
    """
    Write who may be sent to, ids and *fields*, and return how many they are.

    Raises:
        UserError: there is a file of that name, its name has another end, CSV cannot hold a value,
            the disk is full, or *check* ended it.
        CorruptionError: the disk failed.
    """
    columns = contacts.arrow_schema(fields)
    about = audience_document(workspace, found.funnel, info, columns.names[1:])
    with MemberFile(path, schema.id_column, columns, about, sidecar=True, replace=False) as file:
        for group in batches.records(found.members, 0, fields):
            check()
            for batch in group:
                file.write(batch)
    return file.count
