"""Audiences: each number and each id is the oracle's; what the numbers mean; what is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from headcount.index.suppressed import NOBODY, Suppressed
from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.segments.audience import Audience, Funnel, Resolved, Step, resolve
from support.asking import schema
from support.audiences import Sending, differences, resolved, sendings
from support.engines import context_at, view_of
from support.named import Shelf
from support.small import AS_OF, SMALL
from support.worlds import World

NOW = dt.datetime.fromisoformat(AS_OF).replace(tzinfo=dt.UTC)
SAVED = {"on News": parse('in list "News"'), "off News": parse('not in segment "on News"')}
ENGINE = Engine(view_of(SMALL, 4), saved=Shelf(SAVED))


def asked(
    *include: str, exclude: tuple[str, ...] = (), channel: str | None = None, without: str = ""
) -> Resolved:
    """Return an audience of the small workspace; the ids of *without* are suppressed."""
    audience = Audience(include, exclude, channel)
    return resolve(ENGINE, audience, context_at(NOW), Suppressed(frozenset(without.split())))


def ids(found: Resolved) -> str:
    """Return who is sendable."""
    return " ".join(block.ids.array[row].as_py() for block, rows in found.members for row in rows)


def numbers(funnel: Funnel) -> list[int]:
    """Return what was matched, what each step took, and what is left."""
    return [funnel.matched, *(one.removed for one in funnel.steps), funnel.sendable]


@pytest.mark.parametrize("run", range(5))
def test_every_step_is_the_oracles(run: int) -> None:
    """Of 300 random audiences a run, each number at each step and every sendable id."""
    for number, sending in enumerate(sendings(run, 300)):
        found = resolved(sending, as_text=number % 2 == 1)
        wrong = differences(found, sending.expected())
        assert not wrong, f"{sending}\n{wrong}"


def test_the_random_audiences_reach_every_step() -> None:
    """Each step takes somebody out in many of them, and somebody is left in many."""
    reached = dict.fromkeys([*Step, "sendable"], 0)
    for sending in sendings(0, 200):
        for step, gone in sending.expected().items():
            reached[step] += bool(gone)
    assert min(reached.values()) >= 15, reached


def test_a_funnel_counts_each_contact_once() -> None:
    """Everyone but recent buyers, on the list News: who leaves, and where."""
    found = asked("everyone", exclude=("converted in last 7 days",), channel="News", without="ben")
    assert numbers(found.funnel) == [12, 1, 1, 1, 1, 0, 8]
    assert [one.left for one in found.funnel.steps] == [11, 10, 9, 8, 8]
    assert ids(found) == "ada cho dee eli ida jon kim lou"


def test_a_hard_bounce_has_a_step_of_its_own() -> None:
    """It is not among those that are not active; but a step before it may take it out."""
    assert numbers(asked("everyone", channel="VIP Customers").funnel) == [12, 0, 2, 0, 0, 1, 9]
    assert asked("everyone", channel="News").funnel.removed(Step.HARD_BOUNCE) == 0  # opted out
    assert asked("everyone", without="hal").funnel.removed(Step.SUPPRESSED) == 1


def test_the_suppression_list_is_the_workspaces() -> None:
    """Where no other is given, that of the view: ids of anybody, also of nobody."""
    view = dataclasses.replace(view_of(SMALL, 4), suppressed=Suppressed(frozenset(("ada", "x"))))
    found = resolve(Engine(view), Audience(("plan = Pro",)), context_at(NOW))
    assert found.funnel.removed(Step.SUPPRESSED) == 1
    assert ids(found) == "ben"


def test_a_changed_suppression_list_is_looked_at_anew() -> None:
    """Rows that were found are remembered for the same list and block only."""
    view = view_of(SMALL, 4)
    for wanted, expected in (("ada", "ben"), ("ben", "ada"), ("", "ada ben"), ("ada", "ben")):
        other = dataclasses.replace(view, suppressed=Suppressed(frozenset(wanted.split())))
        for _ in range(2):
            found = resolve(Engine(other), Audience(("plan = Pro",)), context_at(NOW))
            assert ids(found) == expected


def test_no_definition_turns_a_step_off() -> None:
    """Asking for those who left, opted out or bounced finds them, and sends to none of them."""
    for text in (
        'status = "Hard Bounce"',
        "status != Active",
        'opted out of list "News"',
        'in list "News" or opted out of list "News"',
    ):
        found = asked(text, channel="News", without="eli")
        assert found.funnel.matched > 0
        assert not set(ids(found).split()) & {"fay", "gus", "hal", "eli"}


def test_a_list_that_brings_people_in_is_respected() -> None:
    """Also where it is named in a saved segment, however often it is negated on the way."""
    for text in (
        'in list "news"',
        'in any list ("NEWS", "VIP Customers") and everyone',
        'in segment "on News"',
        'not in segment "off News"',
        'not (plan = Pro or not in list "News")',
    ):
        assert "News" in asked(text).funnel.lists
    for text in ("everyone", 'not in list "News"', 'in segment "off News"', 'label contains "vip"'):
        assert asked(text).funnel.lists == ()
    assert asked('in list "News"', channel="All Subscribers").funnel.lists == (
        "All Subscribers",
        "News",
    )


def test_sources_are_united() -> None:
    """Whoever is in two of them is counted once; in any excluded one, left out."""
    found = asked('in list "News"', 'label contains "vip"', exclude=("plan = Pro", "plan = Free"))
    assert numbers(found.funnel)[:2] == [7, 4]
    assert ids(found) == "ida"


def test_the_answer_says_what_was_asked() -> None:
    """Canonical text, whichever form it came in."""
    assert asked("plan=Pro").funnel.include == ("plan = Pro",)
    tree_given = Audience((parse("plan=Pro"),), (tree.InList(("News",)),))
    funnel = resolve(ENGINE, tree_given, context_at(NOW), NOBODY).funnel
    assert (funnel.include, funnel.exclude) == (("plan = Pro",), ('in list "News"',))


def test_the_answer_says_what_the_names_stood_for() -> None:
    """Saved segments, those that they use too, in text."""
    funnel = asked('in segment "OFF news"', exclude=("plan = Pro",)).funnel
    assert funnel.saved == (
        ("off News", 'not in segment "on News"'),
        ("on News", 'in list "News"'),
    )
    assert asked("plan = Pro").funnel.saved == ()


def test_what_looks_wrong_is_said() -> None:
    """No list to respect, contacts without a status, and a value that nobody has."""
    world = World(schema({"plan": "keyword"}), {"a": {"status": "Active"}, "b": {}}, [])
    engine = Engine(view_of(world))
    found = resolve(engine, Audience(("everyone",), ("plan = Pro",)), context_at(NOW), NOBODY)
    assert numbers(found.funnel) == [2, 0, 1, 0, 0, 0, 1]
    assert found.funnel.without_status == 1
    assert [one.code for one in found.funnel.warnings] == [
        "UNKNOWN_VALUE",
        "NO_LIST",
        "WITHOUT_STATUS",
    ]
    assert found.funnel.warnings[0].message.startswith("exclude[0]: ")


def test_a_segment_that_does_not_ask_for_the_status_is_said() -> None:
    """Requirement 154: whoever is included by it may be used elsewhere."""

    def codes(*include: str, exclude: tuple[str, ...] = ()) -> list[str]:
        return [
            one.code for one in asked(*include, exclude=exclude, channel="News").funnel.warnings
        ]

    assert codes("plan = Pro") == ["NO_STATUS"]
    assert codes("plan = Pro and status = Active") == []
    assert codes("everyone", 'in list "News"', exclude=("plan = Pro",)) == []
    found = asked("everyone", "plan = Pro", channel="News").funnel.warnings
    assert [one.message.partition(":")[0] for one in found] == ["include[1]"]


@pytest.mark.parametrize(
    ("audience", "field", "reason"),
    [
        (Audience(()), "include", Reason.INVALID_VALUE),
        (Audience(("plan = Pro", "plam = Pro")), "include[1]", Reason.UNKNOWN_NAME),
        (Audience(("everyone",), ("plan =",)), "exclude[0]", Reason.SYNTAX),
        (Audience(("everyone",), (), "Nwes"), "list", Reason.UNKNOWN_NAME),
        (Audience(("everyone",) * 1001), "include", Reason.LIMIT_EXCEEDED),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(
    audience: Audience, field: str, reason: Reason
) -> None:
    """The error names the segment by its place, or the list."""
    with pytest.raises(UserError) as refused:
        resolve(ENGINE, audience, context_at(NOW), NOBODY)
    assert (refused.value.field, refused.value.reason) == (field, reason)


def test_a_check_ends_it() -> None:
    """Between two blocks at the latest."""

    def ended() -> None:
        raise UserError(Reason.CANCELLED, "enough")

    context = dataclasses.replace(context_at(NOW), check=ended)
    with pytest.raises(UserError, match="enough"):
        resolve(ENGINE, Audience(("everyone",)), context, NOBODY)


def test_a_difference_is_seen() -> None:
    """An answer to another audience is not taken for the right one."""
    wanted = next(iter(sendings(0, 1)))
    nobody = Sending(wanted.world, wanted.wanted, wanted.as_of, wanted.zone).expected()
    nobody["sendable"] = ["nobody"]
    assert differences(resolved(wanted), nobody)
