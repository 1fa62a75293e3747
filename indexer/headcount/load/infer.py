"""
A schema proposed from files: the columns and event types that it lacks, typed by all their values.

The files are read once to propose and again to load. A sample would be quicker and wrong: the row
that makes a number a keyword may be the last. Fields that the schema has are left as they are. What
cannot be seen in files is not invented: aliases, groups, the order of stages.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from headcount.load import contacts, events
from headcount.load.batch import Batch, Columns
from headcount.load.coerce import Column, Mismatch, coerce
from headcount.load.guess import Guess
from headcount.load.progress import Progress, Step
from headcount.load.sieve import Sieve
from headcount.load.sources import open_source
from headcount.model import schema_toml
from headcount.model.errors import Reason, UserError
from headcount.model.schema import EventType, Field, Schema
from headcount.model.time_zone import time_zone

# What people call a contact's id; taken when exactly one of a file's columns is called so.
_ID_NAMES = frozenset(
    f"{who}{link}id"
    for who in ("contact", "customer", "user", "subscriber", "member", "person", "household")
    for link in ("", "_", "-", " ")
)
_MAX_EVENT_TYPES = 1000
_NOTED = 5  # values outside a closed set, in a note


@dataclass(frozen=True, slots=True)
class Proposal:
    """A schema, and for each thing that was added to it a line about its values."""

    schema: Schema
    added: Sequence[str]

    def __str__(self) -> str:
        """Return the schema as TOML, with what was added in comments above it."""
        notes = [f"# {line}" for line in self.added] or ["# nothing was added"]
        return "\n".join([*notes, "", schema_toml.render(self.schema)])


def propose(
    base: Schema,
    contact_files: Sequence[Path],
    event_files: Sequence[Path],
    progress: Progress,
    *,
    any_id: bool,
) -> Proposal:
    """
    Return *base* with a field for each unknown column and an event type for each unknown type.

    With *any_id* the files' id column may be another than *base* says, if it is plain which.

    Raises:
        UserError: a file cannot be read, or a column cannot be a field.
    """
    fields = _Fields(base)
    for path in contact_files:
        _read(path, fields.columns(any_id=any_id), fields.observe, progress)
    schema, added = fields.result(any_id=any_id and bool(contact_files))
    types = _Types(schema)
    for path in event_files:
        _read(path, events.columns(schema, open_ended=True), partial(types.observe, path), progress)
    schema, more = types.result()
    # Through its text: what cannot be a name is an error here, not when the file is read again.
    schema = schema_toml.parse(schema_toml.render(schema), "the proposed schema")
    return Proposal(schema, [*added, *more])


def _read(
    path: Path, columns: Columns, observe: Callable[[Batch], None], progress: Progress
) -> None:
    size, rows = path.stat().st_size if path.exists() else 0, 0
    with open_source(path, columns) as source:
        for batch in source.batches():
            observe(batch)
            rows += batch.rows
            progress(Step(f"types of {path.name}", rows, source.position, size))


class _Fields:
    """Guesses the columns of contacts files."""

    def __init__(self, base: Schema) -> None:
        self._base = base
        self._zone = time_zone(base.time_zone)
        self._known = {f.name: f for f in contacts.stored_fields(base)}
        self._guesses: dict[str, Guess] = {}
        self._outside: dict[str, dict[str, None]] = {}  # values that a closed set lacks
        self._has_id = False

    def columns(self, *, any_id: bool) -> Columns:
        found = contacts.columns(self._base, open_ended=True)
        return dataclasses.replace(found, required=()) if any_id else found

    def observe(self, batch: Batch) -> None:
        for name, column in batch.columns.items():
            if name == "id":
                self._has_id = True
            elif name in self._known:
                self._note_outside(self._known[name], column)
            else:
                guess = self._guesses.get(name.casefold())
                if guess is None:
                    guess = self._guesses[name.casefold()] = Guess(name, self._zone)
                guess.observe(column)

    def result(self, *, any_id: bool) -> tuple[Schema, list[str]]:
        schema = self._base
        if any_id and not self._has_id:
            schema = dataclasses.replace(schema, id_column=self._id_column())
        guessed = list(self._guesses.values())
        added = [f"field {guess}" for guess in guessed]
        added += [
            f"field {name} does not list these values, they will be refused: {', '.join(values)}"
            for name, values in self._outside.items()
        ]
        fields = {**schema.fields, **{guess.name: guess.field() for guess in guessed}}
        return dataclasses.replace(schema, fields=fields), added

    def _id_column(self) -> str:
        """Return the one column that is called as ids are; it is then no field."""
        found = [name for name in self._guesses if name in _ID_NAMES]
        if len(found) == 1:
            return self._guesses.pop(found[0]).name
        names = ", ".join(f"`{guess.name}`" for guess in self._guesses.values())
        raise UserError(
            Reason.INVALID_FILE,
            f"no column `{self._base.id_column}`; the columns are {names}. Name the id column in a"
            ' schema file, for example: id = "contact_id"',
        )

    def _note_outside(self, field: Field, column: Column) -> None:
        if not field.values:
            return
        try:
            refused = coerce(column, field, self._zone).refused
        except Mismatch:
            return  # an error about the file, when it is loaded
        if refused:
            noted = self._outside.setdefault(field.name, {})
            noted.update(dict.fromkeys(cell.value for cell in refused[: _NOTED - len(noted)]))


class _Types:
    """Guesses the event types of events files, and their properties."""

    def __init__(self, base: Schema) -> None:
        self._base = base
        self._zone = time_zone(base.time_zone)
        self._new: dict[str, EventType] = {}
        self._guesses: dict[str, dict[str, Guess]] = {}  # by event type, by property

    def observe(self, path: Path, batch: Batch) -> None:
        column = batch.columns.get("type")
        if column is None:
            return
        try:
            types = coerce(column, events.TYPE, self._zone).values.dictionary_encode()
        except Mismatch:
            return  # an error about the file, when it is loaded
        codes = types.indices.fill_null(-1).to_numpy()
        properties = events.properties_of(path, Sieve(path, batch), batch)
        for code, text in enumerate(types.dictionary.to_pylist()):
            event = self._event(path, text.strip())
            if event is not None:
                rows = np.flatnonzero(codes == code)
                for name, values in properties.items():
                    self._observe(event, name, events.part_of(values, rows))

    def result(self) -> tuple[Schema, list[str]]:
        found = {event.name: event for event in self._base.events.values()}
        found |= {event.name: event for event in self._new.values()}
        added = [f"event {event.name}" for event in self._new.values()]
        for name, guesses in self._guesses.items():
            properties = (*found[name].properties, *(guess.field() for guess in guesses.values()))
            found[name] = dataclasses.replace(found[name], properties=properties)
            added += [f"event {name}, property {guess}" for guess in guesses.values()]
        return dataclasses.replace(self._base, events=found), added

    def _event(self, path: Path, text: str) -> EventType | None:
        """Return the event type that *text* names, a new one if need be; None for a group."""
        if not text:
            return None
        found = self._base.event(text)
        if found:
            is_group = text.casefold() in map(str.casefold, self._base.groups)
            return None if is_group else found[0]
        if text.casefold() not in self._new:
            if len(self._new) >= _MAX_EVENT_TYPES:
                raise UserError(
                    Reason.INVALID_FILE,
                    f"{path.name}: over {_MAX_EVENT_TYPES:,} different event types; is `type` the"
                    " right column?",
                )
            self._new[text.casefold()] = EventType(text)
        return self._new[text.casefold()]

    def _observe(self, event: EventType, name: str, values: Column) -> None:
        if event.builtin or event.property(name) is not None:
            return
        if events.has_value(values).any():
            guesses = self._guesses.setdefault(event.name, {})
            if name.casefold() not in guesses:
                guesses[name.casefold()] = Guess(name, self._zone, sets=False)
            guesses[name.casefold()].observe(values)
