"""
What segments over a small shop are bound to, and who is in them, as scripts that are reviewed.

The members in the script are those of the oracle as well.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.bind import bind
from headcount.query.engine import Engine
from headcount.query.parse import parse
from support import oracle
from support.engines import context_at, members_of, view_of
from support.golden import assert_as_reviewed, blocks
from support.shop import AS_OF, SHOP

GOLDEN = Path(__file__).parent / "golden"
SEGMENTS, ERRORS = GOLDEN / "segments.txt", GOLDEN / "bind_errors.txt"
ZONE = "Europe/Berlin"

ENGINE = Engine(view_of(SHOP))
CONTEXT = context_at(AS_OF, ZONE)


def bound(text: str) -> str:
    """Return what a segment is bound to, what is doubtful in it, and its members."""
    lines = [str(bind(parse(text), ENGINE.view, CONTEXT, text))]
    lines += [f"{w.code}: {w.message}" for w in ENGINE.validate(text, CONTEXT).warnings]
    members = members_of(ENGINE, text, CONTEXT)
    assert set(members) == oracle.members(SHOP, parse(text), AS_OF, ZONE)
    return "\n".join([*lines, " ".join(["=", *members])])


def refused(text: str) -> str:
    """Return the error of a segment that reads well but cannot be asked."""
    try:
        bind(parse(text), ENGINE.view, CONTEXT, text)
    except UserError as error:
        lines = f"{error.reason}: {error}".split("\n")
        return "\n".join(line.rstrip() for line in lines)
    return "accepted"


def test_segments_are_bound_as_reviewed() -> None:
    """Names become fields and events, times become ranges; the members are the oracle's."""
    assert_as_reviewed(SEGMENTS, bound)


def test_errors_read_as_reviewed() -> None:
    """51, 180: every refusal says what was expected, what was found, and where."""
    assert_as_reviewed(ERRORS, refused)


@pytest.mark.parametrize(
    ("short", "said"),
    [
        ("opened before 2026-02-01", "did opened before 2026-02-01"),
        ("opened after 2026-04-09", "did opened after 2026-04-09"),
        ("opened on 2026-05-08", "did opened on 2026-05-08"),
        ("opened between 2026-05-01 and now", "did opened between 2026-05-01 and now"),
        ("opened not between 30 days ago and now", "did not opened between 30 days ago and now"),
        ("opened = 1", "did opened exactly 1 times"),
        ("opened != 1", "did not opened exactly 1 times"),
        ("opened < 2", "did opened fewer than 2 times"),
        ("opened between 1 and 2", "did opened between 1 and 2 times"),
        ("opened not between 1 and 2", "did not opened between 1 and 2 times"),
        ("opened in (1, 3)", "did opened exactly 1 times or did opened exactly 3 times"),
        ("opened + clicked = 2", "count(opened) + count(clicked) = 2"),
        ("engaged = 2", "did engaged exactly 2 times"),
    ],
)
def test_a_comparison_whose_left_is_an_event(short: str, said: str) -> None:
    """A name that is no field but an event is asked how often, or when."""
    long = bind(parse(said), ENGINE.view, CONTEXT, said)
    assert bind(parse(short), ENGINE.view, CONTEXT, short).condition == long.condition


def test_a_field_wins_over_an_event_of_its_name() -> None:
    """`opens` is a number here, though events could be called that too."""
    found = bind(parse("opens > 5"), ENGINE.view, CONTEXT)
    assert str(found) == "opens > 5"


@pytest.mark.parametrize("text", [text for text, _ in blocks(ERRORS)])
def test_a_tree_without_text_is_refused_alike(text: str) -> None:
    """A tree from a message has the same error; the place is the canonical text of the node."""
    with pytest.raises(UserError) as from_text:
        bind(parse(text), ENGINE.view, CONTEXT, text)
    with pytest.raises(UserError) as from_tree:
        bind(parse(text), ENGINE.view, CONTEXT)
    assert from_tree.value.reason == from_text.value.reason
    assert from_text.value.position is not None
    assert from_tree.value.position is None
    assert from_tree.value.field


@pytest.mark.parametrize("text", [text for text, _ in blocks(ERRORS)])
def test_errors_are_found_beside_anything(text: str) -> None:
    """An error is found under an empty `and`, a full `or` and a `not`: validity is not data's."""
    for template in ("spent > 1e9 and not ({})", "everyone or ({})", "not everyone and {}"):
        whole = template.format(text)
        with pytest.raises(UserError):
            bind(parse(whole), ENGINE.view, CONTEXT, whole)


def test_where_asks_about_the_event_alone() -> None:
    """A tree that no parser gave is refused, too, when `where` asks about the contact."""
    for inner in (
        tree.Everyone(),
        tree.InList(("news",)),
        tree.Compare(
            tree.EventValue(tree.EventPick.COUNT, tree.EventSelector("opened")),
            tree.CompareOp.GT,
            tree.Number(3),
        ),
    ):
        segment = tree.Did(tree.EventSelector("purchase", inner))
        with pytest.raises(UserError, match="asks about the contact") as error:
            bind(segment, ENGINE.view, CONTEXT)
        assert error.value.reason is Reason.TYPE_MISMATCH


@pytest.mark.parametrize("year", [1, 9999])
def test_an_instant_at_the_end_of_the_calendar(year: int) -> None:
    """Beside the first and last year there is no yesterday and no tomorrow to speak of."""
    edge = context_at(AS_OF.replace(year=year, month=1 if year == 1 else 12, day=31))
    with pytest.raises(UserError, match="years 2 to 9998") as error:
        bind(tree.Everyone(), ENGINE.view, edge)
    assert error.value.field == "as_of"


def test_a_duration_that_no_calendar_has() -> None:
    """A tree that no parser made may hold any duration; it is refused where it is used."""
    endless = tree.Duration(10**30, tree.Unit.YEAR)
    born, opened = tree.Name("born"), tree.EventSelector("opened")
    later = tree.Arithmetic(tree.ArithmeticOp.ADD, born, tree.DurationValue(endless))
    for segment in (
        tree.Compare(later, tree.CompareOp.GT, tree.TimeWord(tree.Moment.TODAY)),
        tree.Age(born, tree.CompareOp.GT, endless),
        tree.Within(born, tree.Direction.NEXT, endless),
        tree.Compare(born, tree.CompareOp.GT, tree.Ago(endless)),
        tree.Did(opened, None, tree.LastWindow(endless)),
        tree.Sequence(opened, opened, endless),
        tree.Regularly(opened, None, 1, 2, endless),
    ):
        with pytest.raises(UserError) as error:
            bind(segment, ENGINE.view, CONTEXT)
        assert error.value.reason is Reason.INVALID_VALUE
