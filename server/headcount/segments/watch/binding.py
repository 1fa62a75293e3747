"""
Binding for a watch: a segment as a function of the instant, with all names found once.

When a watch is made its segment is checked as any query is. From then on it means the same although
the last contact with a label loses it, which for a query would make the label unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headcount.index.view import View
from headcount.query.bind import bind
from headcount.query.bound import Condition
from headcount.query.context import QueryContext
from headcount.query.course import Course
from headcount.query.engine import Query, tree_of
from headcount.query.grain import grain
from headcount.query.limits import DEFAULT, Limits
from headcount.query.names import Known
from headcount.query.saved import NOTHING_SAVED, Saved


class _AnyName(Mapping[str, str]):
    """Every name there may be, as its own key."""

    def __getitem__(self, key: str) -> str:
        return key

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _Lasting(Known):
    """What is known, with every label and list."""

    def __init__(self, view: View, saved: Saved) -> None:
        super().__init__(view, saved)
        vars(self).update(labels=_AnyName(), lists=_AnyName())  # as if they had been looked up


@dataclass(frozen=True)
class Definition:
    """What a watch is about: a query, and the time zone of its days and months."""

    query: Query
    zone: ZoneInfo
    limits: Limits = DEFAULT


def check(definition: Definition, view: View, saved: Saved, at: int) -> None:
    """
    Refuse a definition that is no valid query at an instant.

    Raises:
        UserError: it is not.
    """
    _bound(definition, view, Known(view, saved), at)


def course_of(definition: Definition, view: View, saved: Saved = NOTHING_SAVED) -> Course:
    """
    Return the course of a definition, in the schema of a view and with what is saved now.

    Raises:
        UserError: a name is unknown now, or a type does not fit; at the latest from the course.
    """
    known = _Lasting(view, saved)
    segment = tree_of(definition.query, definition.limits)
    return Course(
        lambda at: _bound(definition, view, known, at), definition.zone, grain(segment, known)
    )


def _bound(definition: Definition, view: View, known: Known, at: int) -> Condition:
    query = definition.query
    context = QueryContext(at, definition.zone, definition.limits)
    text = query if isinstance(query, str) else None
    return bind(tree_of(query, definition.limits), view, context, text, known).condition
