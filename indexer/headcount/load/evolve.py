"""
A schema meets the one that is stored: what may change without touching stored data.

What data hang on only grows: fields, event types, properties, the values of a stage. One that the
new schema leaves out stays, and its data with it; one that it declares differently is an error,
since stored values and indexes have the old type. All else (aliases, groups, calculated fields, the
time zone, the id column of the files) is as the new schema says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from headcount.model.errors import Reason, UserError
from headcount.model.schema import EventType, Field, Schema


def evolved(stored: Schema, given: Schema) -> Schema:
    """
    Return *given* with everything of *stored* that data hang on.

    Raises:
        UserError: INVALID_SCHEMA, *given* declares something differently.
    """
    before = _folded(stored.fields)
    fields = {
        name: _same(f, before.pop(name.casefold(), None), f"field `{name}`")
        for name, f in given.fields.items()
    }
    events_before = {name.casefold(): event for name, event in stored.events.items()}
    events = {
        name: _event(event, events_before.pop(name.casefold(), None))
        for name, event in given.events.items()
    }
    return dataclasses.replace(
        given,
        fields={f.name: f for f in [*fields.values(), *before.values()]},
        events={e.name: e for e in [*events.values(), *events_before.values()]},
        labels=_united(stored.labels, given.labels),
        lists=_united(stored.lists, given.lists),
    )


def _folded(fields: Mapping[str, Field]) -> dict[str, Field]:
    return {name.casefold(): f for name, f in fields.items()}


def _same(given: Field, stored: Field | None, what: str) -> Field:
    """Return *given* under the stored spelling, if it is declared as it was."""
    if stored is None:
        return given
    for aspect in ("type", "case_sensitive", "fold_accents"):
        was, is_now = getattr(stored, aspect), getattr(given, aspect)
        if was != is_now:
            raise UserError(
                Reason.INVALID_SCHEMA,
                f"{what} is stored with {aspect.replace('_', ' ')} = {was}, and the schema says"
                f" {is_now}; keep it, or add a field of another name",
            )
    gone = [value for value in stored.values if value not in given.values]
    if gone and given.values:
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"{what} is stored with the value `{gone[0]}`, which the schema does not list; add it",
        )
    if bool(stored.values) != bool(given.values):
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"{what} is stored {'with' if stored.values else 'without'} a list of values; keep it",
        )
    return dataclasses.replace(given, name=stored.name)


def _event(given: EventType, stored: EventType | None) -> EventType:
    if stored is None:
        return given
    before = {p.name.casefold(): p for p in stored.properties}
    properties = [
        _same(p, before.pop(p.name.casefold(), None), f"property `{p.name}` of `{given.name}`")
        for p in given.properties
    ]
    return dataclasses.replace(given, name=stored.name, properties=(*properties, *before.values()))


def _united(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *after)))
