"""Messages about workspaces themselves, and back: schemas as they are given, what was done."""

from __future__ import annotations

from headcount.answers_care import (
    BackedUp,
    Compacted,
    SchemaUpdate,
    Snapshotted,
    WorkspaceInfo,
    WorkspacePage,
)
from headcount.care.schema_change import Renames, Unconverted
from headcount.index.view import View
from headcount.model import schema_toml
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.rpc import convert, status
from headcount.v1 import admin_pb2 as pb
from headcount.v1 import schema_pb2

_VALUE_BYTES = 300


def given_schema(message: schema_pb2.Schema) -> Schema:
    """
    Return a schema from outside, as if it had been read from a file.

    Raises:
        UserError: INVALID_SCHEMA, it cannot be one.
    """
    checked = schema_pb2.Schema()
    checked.CopyFrom(message)
    checked.id_column = message.id_column or "id"
    checked.time_zone = message.time_zone or "UTC"
    for place, field in enumerate(message.fields):
        _require_type(field, f"schema.fields[{place}]")
    for place, event in enumerate(message.events):
        for at, field in enumerate(event.properties):
            _require_type(field, f"schema.events[{place}].properties[{at}]")
    found = schema_toml.parse(schema_toml.render(convert.schema(checked)), "schema")
    declared = [field for field in message.fields if not field.builtin]
    if len(declared) != len(found.fields):
        raise UserError(
            Reason.INVALID_SCHEMA, "a field is there twice; keep one", field="schema.fields"
        )
    return found


def _require_type(field: schema_pb2.Field, place: str) -> None:
    known = schema_pb2.FieldType.values()
    if field.type not in known or field.type == schema_pb2.FIELD_TYPE_UNSPECIFIED:
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"expected a type for `{status.shorten(field.name, 100)}`, found none that is known",
            field=f"{place}.type",
        )


def to_renames(renames: Renames) -> list[pb.Rename]:
    """Return renames as messages."""
    made = [pb.Rename(field=old, to=new) for old, new in renames.fields.items()]
    made += [pb.Rename(event=old, to=new) for old, new in renames.events.items()]
    made += [
        pb.Rename(property=old, to=new, event_type=event)
        for (event, old), new in renames.properties.items()
    ]
    return made


def renames(messages: list[pb.Rename]) -> Renames:
    """
    Return the renames of messages.

    Raises:
        UserError: one renames nothing.
    """
    fields, events, properties = {}, {}, {}
    for place, message in enumerate(messages):
        match message.WhichOneof("what"):
            case "field":
                fields[message.field] = message.to
            case "event":
                events[message.event] = message.to
            case "property":
                properties[message.event_type, message.property] = message.to
            case _:
                raise UserError(
                    Reason.INVALID_VALUE,
                    "expected a field, an event or a property to rename; found none",
                    field=f"renames[{place}]",
                )
    return Renames(fields, events, properties)


def to_workspace(name: str, view: View) -> pb.Workspace:
    """Return a workspace as a message."""
    version = convert.to_version(view.version)
    return pb.Workspace(name=name, contacts=view.live_count, version=version)


def workspace(message: pb.Workspace) -> WorkspaceInfo:
    """Return a workspace."""
    return WorkspaceInfo(message.name, message.contacts, convert.version(message.version))


def workspace_page(message: pb.ListWorkspacesResponse) -> WorkspacePage:
    """Return some workspaces."""
    return WorkspacePage(tuple(map(workspace, message.workspaces)), message.next_page_token)


def to_unconverted(found: Unconverted) -> pb.UnconvertedValue:
    """Return a value that does not convert as a message."""
    return pb.UnconvertedValue(
        contact=found.contact,
        field=found.field,
        value=status.shorten(found.value, _VALUE_BYTES),
        message=status.shorten(found.message, _VALUE_BYTES),
    )


def schema_update(message: pb.UpdateSchemaResponse) -> SchemaUpdate:
    """Return what became of a schema."""
    return SchemaUpdate(
        convert.schema(message.schema),
        tuple(message.dropped),
        message.unconverted_count,
        tuple(
            Unconverted(one.contact, one.field, one.value, one.message)
            for one in message.unconverted
        ),
        convert.version(message.info.version),
    )


def snapshotted(message: pb.SnapshotResponse) -> Snapshotted:
    """Return a new generation."""
    version = convert.version(message.info.version)
    return Snapshotted(message.generation, message.bytes, version)


def compacted(message: pb.CompactResponse) -> Compacted:
    """Return what a compaction has done."""
    version = convert.version(message.info.version)
    return Compacted(message.erased, message.bytes_before, message.bytes_after, version)


def backed_up(message: pb.BackupResponse) -> BackedUp:
    """Return a copy."""
    return BackedUp(message.folder, message.bytes, tuple(map(workspace, message.workspaces)))
