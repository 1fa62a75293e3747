"""
Arrow record batches that clients write, turned into steps by column.

    contacts   the id column, fields; add_labels remove_labels join leave opt_out opt_in as lists
    events     contact, type, time, optionally id; a column a property, or `properties` as JSON

There is no Python object a row: 150,000 events a second would be 6 µs each, and the rules of
`load.coerce` take whole columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headcount.ingest.contacts import Given, GivenLists
from headcount.ingest.events import Typed
from headcount.ingest.requests import RequestReader
from headcount.ingest.screen import Rows, Screen
from headcount.ingest.values import column_of
from headcount.live.commit import Batch
from headcount.load import events as event_files
from headcount.load.coerce import Column
from headcount.load.json_lines import NotAnObject, by_key, parse_object
from headcount.model.changes import Changes, ListAction
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field, FieldType, Schema, nearest

_LABELS = {"remove_labels": False, "add_labels": True}
_ACTIONS = {action.name.lower(): action for action in ListAction}


class ArrowReader:
    """Turns rows of Arrow into a batch for the writer."""

    def __init__(self, schema: Schema, now: int) -> None:
        self._schema = schema
        self._now = now
        self._reader = RequestReader(schema)

    def contacts(self, rows: pa.RecordBatch, *, creates: bool, request_id: str = "") -> Batch:
        """
        Return what contacts as columns change.

        Raises:
            UserError: a column is unknown, there twice, missing, or of a type that never fits.
        """
        placed = self._placed(rows, self._contact_columns(), ("id",))
        if "label" in placed and any(name in placed for name in _LABELS):
            raise UserError(
                Reason.INVALID_VALUE,
                "`label` replaces all labels; give either it or `add_labels` and `remove_labels`",
                field="batches.label",
            )
        screen, numbers = _screen(rows.num_rows)
        every = np.arange(rows.num_rows)
        fields: list[tuple[Field, Given]] = []
        for name, column in placed.items():
            field = self._schema.field(name)
            if field is not None and name != "id":
                fields.append((field, (every, column)))
        labels = [
            (part, add, given)
            for part, add in _LABELS.items()
            if part in placed
            for given in [_members(placed[part], part)]
        ]
        lists = _lists({name: placed[name] for name in _ACTIONS if name in placed})
        if not rows.num_rows:
            return Batch(Changes(()), request_id, (), self._schema)
        step, refused = self._reader.contacts.build(
            screen, numbers, self._now, placed["id"], fields, labels, lists, creates=creates
        )
        changes = Changes(() if step is None else (step,))
        return Batch(changes, request_id, tuple(refused), self._schema)

    def events(self, rows: pa.RecordBatch, *, creates: bool, request_id: str = "") -> Batch:
        """
        Return what events as columns change.

        Raises:
            UserError: a column is unknown, there twice, missing, or of a type that never fits.
        """
        found = event_files.columns(self._schema)
        placed = self._placed(rows, found.names, found.required)
        if not rows.num_rows:
            return Batch(Changes(()), request_id, (), self._schema)
        screen, numbers = _screen(rows.num_rows)
        groups = self._groups(screen, placed, self._properties(screen, placed))
        steps, refused = self._reader.events.build(
            screen,
            numbers,
            placed["contact"],
            placed["time"],
            placed.get("id"),
            groups,
            creates=creates,
        )
        return Batch(Changes(tuple(steps)), request_id, tuple(refused), self._schema)

    def _contact_columns(self) -> Mapping[str, str]:
        """Return the names here of the columns that contacts may have, by folded spelling."""
        names = {name: name for name in (*_LABELS, *_ACTIONS)}
        names |= {f.name.casefold(): f.name for f in self._schema.all_fields.values()}
        return names | {"id": "id", self._schema.id_column.casefold(): "id"}

    def _placed(
        self, rows: pa.RecordBatch, names: Mapping[str, str], required: Sequence[str]
    ) -> dict[str, pa.Array]:
        """Return the columns by their names here."""
        placed: dict[str, pa.Array] = {}
        for given, column in zip(rows.schema.names, rows.columns, strict=True):
            here = names.get(given.strip().casefold())
            if here is None:
                near = nearest(given, names)
                raise UserError(
                    Reason.UNKNOWN_NAME,
                    f"column `{given[:100]}` is not in the schema",
                    field="batches",
                    suggestions=near,
                )
            if here in placed:
                raise UserError(
                    Reason.INVALID_VALUE, f"column `{given[:100]}` is there twice", field="batches"
                )
            placed[here] = column
        for name in required:
            if name not in placed:
                raise UserError(
                    Reason.INVALID_VALUE, f"there is no column `{name}`", field="batches"
                )
        return placed

    def _properties(self, screen: Screen, placed: Mapping[str, pa.Array]) -> dict[str, Column]:
        """Return the columns of properties by folded name."""
        prefix = event_files.PREFIX
        found: dict[str, Column] = {
            name.removeprefix(prefix): column
            for name, column in placed.items()
            if name.startswith(prefix)
        }
        if event_files.PROPERTIES not in placed:
            return found
        if found:
            raise UserError(
                Reason.INVALID_VALUE,
                f"there is a column `{event_files.PROPERTIES}` and one for `{next(iter(found))}`;"
                " give all properties in one way",
                field="batches",
            )
        texts = placed[event_files.PROPERTIES].to_pylist()
        objects = [_object(screen, row, text) for row, text in enumerate(texts)]
        names = {key: key.casefold() for each in objects for key in each}
        return by_key(objects, names)[0]

    def _groups(
        self, screen: Screen, placed: Mapping[str, pa.Array], properties: Mapping[str, Column]
    ) -> list[Typed]:
        """Return the rows of each event type with the columns of its properties."""
        types = placed["type"]
        if pa.types.is_dictionary(types.type):
            types = types.dictionary_decode()
        if not (pa.types.is_string(types.type) or pa.types.is_large_string(types.type)):
            raise UserError(
                Reason.TYPE_MISMATCH,
                f"column `type` holds {types.type}, which cannot be an event type",
                field="batches.type",
            )
        encoded = types.fill_null("").dictionary_encode()
        codes = encoded.indices.to_numpy()
        of_event: dict[str, list[int]] = {}
        for code, name in enumerate(encoded.dictionary.to_pylist()):
            known = self._schema.event_type(name.strip())
            if known is None:
                self._reader.events.event(screen, name, np.flatnonzero(codes == code))
            else:
                of_event.setdefault(known.name, []).append(code)
        groups = []
        for name, its_codes in of_event.items():
            rows = np.flatnonzero(np.isin(codes, its_codes))
            event = self._schema.event_type(name)
            assert event is not None
            parts = {folded: event_files.part_of(c, rows) for folded, c in properties.items()}
            kept = {
                folded: part
                for folded, part in parts.items()
                if event.property(folded) is not None or event_files.has_value(part).any()
            }
            groups.append(Typed(event, rows, kept))
        return groups


def _screen(rows: int) -> tuple[Screen, np.ndarray[tuple[int], np.dtype[np.uint32]]]:
    numbers = np.arange(rows, dtype=np.uint32)
    return Screen(numbers, typed=True), numbers


def _object(screen: Screen, row: int, text: object) -> Mapping[str, object]:
    """Return the JSON object of a `properties` cell, empty where there is none."""
    if text is None or text == "":
        return {}
    try:
        found = parse_object(text if isinstance(text, str) else "")
    except NotAnObject as error:
        screen.refuse(row, event_files.PROPERTIES, Reason.INVALID_VALUE, str(error))
        return {}
    if len({key.casefold() for key in found}) < len(found):
        message = "one property in two spellings"
        screen.refuse(row, event_files.PROPERTIES, Reason.INVALID_VALUE, message)
        return {}
    return found


def _members(column: pa.Array, part: str) -> Given:
    """Return the texts in a column of lists, each with its row."""
    if pa.types.is_null(column.type):
        return np.zeros(0, np.int64), pa.array([], pa.string())
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise UserError(
            Reason.TYPE_MISMATCH,
            f"column `{part}` holds {column.type}; expected lists of text",
            field=f"batches.{part}",
        )
    counts = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(column)), counts), column.flatten()


def _lists(columns: Mapping[str, pa.Array]) -> GivenLists | None:
    """Return what the columns of lists say happened, by row."""
    if not columns:
        return None
    found = [(_ACTIONS[name], _members(column, name)) for name, column in columns.items()]
    rows: Rows = np.concatenate([its_rows for _, (its_rows, _) in found])
    actions = np.repeat([int(action) for action, _ in found], [len(rows) for _, (rows, _) in found])
    names = [name for _, (_, values) in found for name in _texts(values)]
    order = np.argsort(rows, kind="stable")
    return GivenLists(
        rows=rows[order],
        names=column_of([names[at] for at in order.tolist()], FieldType.KEYWORD),
        actions=actions[order].astype(np.uint8),
        times=None,
    )


def _texts(column: Column) -> list[object]:
    return column if isinstance(column, list) else column.to_pylist()
