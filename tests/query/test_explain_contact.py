"""Why a contact is in a segment or not: verdicts, values and events against the oracle."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from headcount.model.errors import Reason, UserError
from headcount.query import explain_contact as module
from headcount.query import tree
from headcount.query.engine import Engine
from headcount.query.explain import Kind
from headcount.query.explain_contact import ContactExplanation, Verdict, explain_contact
from headcount.query.explain_contact_text import contact_text
from headcount.query.format import format as canonical
from headcount.query.history import Occurrence
from headcount.query.results import Results
from headcount.query.terminal import width
from support import oracle
from support.compare import Case
from support.engines import Engines, context_at, view_of
from support.golden import assert_as_reviewed
from support.held import plain
from support.oracle_values import Contact, Query, Text, TextSet
from support.parts import walk
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000")) // 4
CONTEXT = context_at(AS_OF, "Europe/Berlin")
REVIEWED = Path(__file__).parent / "golden" / "contact_explanations.txt"


@pytest.fixture
def engine() -> Engine:
    """Return an engine over the shop, two contacts a block."""
    return Engine(view_of(SHOP, 2))


def flat(part: Verdict) -> list[Verdict]:
    """Return a part and all inside it, as they are read."""
    return [part, *(one for inner in part.parts for one in flat(inner))]


# --- against the oracle -----------------------------------------------------------------------


def values_in(node: tree.Node) -> dict[str, tree.Value]:
    """Return the values in a condition by their canonical text, those of events aside."""
    found = {}
    stack: list[tree.Node] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, tree.Value):
            found[canonical(one)] = one
        if not isinstance(one, tree.EventSelector):
            stack.extend(tree.children(one))
    return found


def as_held(value: oracle.Value) -> object:
    """Return a value of the oracle as a contact has it; sets in any order."""
    match value:
        case Text():
            return value.value
        case TextSet(texts):
            return sorted(text.value for text in texts)
    return plain(value)


def as_said(value: object) -> object:
    """Return a value of an explanation as `as_held` does."""
    if isinstance(value, list):
        return sorted(value)
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value


def faults(case: Case, contact: Contact, found: ContactExplanation) -> list[str]:
    """Return what an explanation says that the oracle does not."""
    query = Query(case.world, case.as_of, ZoneInfo(case.zone))
    wrong = []
    for part, (_, node) in zip(flat(found.root), walk(case.segment), strict=True):
        if part.holds != oracle.holds(query, contact, node):
            wrong.append(f"{canonical(node)}: {part.holds}")
        if part.kind is not Kind.CONDITION:
            continue
        values = values_in(node)
        for held in part.values:
            if held.text not in values:
                continue  # lists, samples
            right = as_held(oracle.value(query, contact, values[held.text]))
            if as_said(held.value) != right:
                wrong.append(f"{held.text} is {right!r}, not {held.value!r}")
        wrong += event_faults(query, contact, node, part)
    return wrong


def event_faults(query: Query, contact: Contact, node: tree.Segment, part: Verdict) -> list[str]:
    """Return what is wrong with the events that a `did` is said to have seen."""
    for looked in part.events:
        times = [event.time.astimezone(dt.UTC) for event in (*looked.first, *looked.last)]
        if times != sorted(times) or len(times) != min(looked.count, 6):
            return [f"the events shown are {times} of {looked.count}"]
    if not isinstance(node, tree.Did) or not part.events:
        return []
    right = oracle.matching(query, contact, node.event, node.window)
    everything = oracle.matching(query, contact, tree.EventSelector(node.event.name), None)
    if sum(looked.count for looked in part.events) != len(right):
        return [f"{len(right)} events fit"]
    if sum(looked.in_all for looked in part.events) != len(everything):
        return [f"there are {len(everything)} events in all"]
    latest = max((e.time for e in everything), default=None)
    # In UTC: an hour that a zone has twice is never equal to that of another zone.
    seen = [looked.latest.time.astimezone(dt.UTC) for looked in part.events if looked.latest]
    return [] if max(seen, default=None) == latest else [f"the latest is at {latest}"]


def disagreement(seed: int, count: int) -> str | None:
    """Return a contact of whom something wrong is said."""
    engines = Engines()
    for case in seeded_cases(seed, count, sizes=(3, 10, 20)):
        context = context_at(case.as_of, case.zone)
        for contact in oracle.contacts_of(case.world)[:4]:
            found = explain_contact(engines.over(case.world), case.segment, contact.id, context)
            wrong = faults(case, contact, found)
            assert max(map(width, contact_text(found).split("\n"))) <= 100
            json.dumps(found.to_dict())
            if wrong:
                return f"{contact.id}: {canonical(case.segment)}: {wrong}"
    return None


@pytest.mark.parametrize("run", range(2))
def test_what_is_said_of_a_contact_is_what_the_oracle_says(run: int) -> None:
    """Each part holds or fails, each value is the contact's, each event is counted."""
    assert disagreement(SEED * 2 + run + 20, SEGMENTS // 2) is None


def test_a_mistake_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values or verdicts of another contact are seen by the same test."""
    right = module._Reader.__init__

    def of_another(self: object, engine: Engine, written: object, block: object, row: int,
                   *rest: object) -> None:  # fmt: skip
        right(self, engine, written, block, max(0, row - 1), *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module._Reader, "__init__", of_another)
    assert disagreement(20, 40) is not None


# --- by hand ----------------------------------------------------------------------------------


def test_what_is_said_reads_as_reviewed(engine: Engine) -> None:
    """The text of explanations; the first word of a question is the contact."""

    def said(question: str) -> str:
        contact, _, segment = question.partition(": ")
        text = contact_text(explain_contact(engine, segment, contact, CONTEXT))
        return "\n".join(line for line in text.split("\n") if line)

    assert_as_reviewed(REVIEWED, said)


def test_values_are_those_of_the_contact(engine: Engine) -> None:
    """A computed value comes with what it is made of; literals do not."""
    found = explain_contact(engine, "spent / orders > 40 and vip = true", "ann", CONTEXT)
    assert found.holds
    first, second = found.root.parts
    assert [(held.text, held.value) for held in first.values] == [
        ("spent / orders", 120.5 / 3),
        ("spent", 120.5),
        ("orders", 3.0),
    ]
    assert [(held.text, held.value) for held in second.values] == [("vip", True)]
    missing = explain_contact(engine, "spent / orders != 40", "fay", CONTEXT)
    assert missing.holds
    assert {held.value for held in missing.root.values} == {None}


def test_events_are_those_that_were_looked_at(engine: Engine) -> None:
    """How many fit, in the window and in all; the first and last with their properties."""
    text = "did purchase where (amount > 50) at least 2 times in last 30 days"
    found = explain_contact(engine, text, "ann", CONTEXT)
    assert not found.holds
    (looked,) = found.root.events
    assert (looked.count, looked.in_window, looked.in_all) == (1, 1, 2)
    berlin = ZoneInfo("Europe/Berlin")
    bought = Occurrence(
        "purchase",
        dt.datetime(2026, 5, 8, 12, 0, tzinfo=berlin),
        {"amount": 100.5, "category": "Books", "gift": True},
    )
    assert looked.first == ()
    assert looked.last == (bought,)
    assert looked.latest == bought
    (stretch,) = found.root.stretches
    assert stretch.last == AS_OF


def test_many_events_are_shown_from_both_ends(engine: Engine) -> None:
    """Three from either end, none twice."""
    (looked,) = explain_contact(engine, "purchase > 3", "eva", CONTEXT).root.events
    assert looked.count == 8
    assert [event.time.month for event in looked.first] == [1, 2, 3]
    assert [event.time.month for event in looked.last] == [6, 7, 8]


def test_an_event_after_the_instant_was_not_looked_at(engine: Engine) -> None:
    """As in every question, what is later than `as_of` is not there."""
    (looked,) = explain_contact(engine, "did purchase", "dee", CONTEXT).root.events
    assert (looked.count, looked.in_all, looked.latest) == (0, 0, None)


def test_a_contact_that_is_not_there_is_refused(engine: Engine) -> None:
    """An unknown id is an error of its own; the segment is looked at first."""
    with pytest.raises(UserError, match="there is no contact with the id 'zoe'") as caught:
        explain_contact(engine, "everyone", "zoe", CONTEXT)
    assert caught.value.reason is Reason.NOT_FOUND
    with pytest.raises(UserError, match="unknown field"):
        explain_contact(engine, "contry = DE", "zoe", CONTEXT)


def test_nothing_is_remembered_of_one_contact() -> None:
    """What was worked out for one contact alone is not taken for an answer about others."""
    engine, off = Engine(view_of(SHOP)), Engine(view_of(SHOP), Results(0))
    text = "spent / orders > 40"
    assert explain_contact(engine, text, "bob", CONTEXT).holds is False
    assert engine.count(text, CONTEXT) == off.count(text, CONTEXT)


def test_an_explanation_as_json(engine: Engine) -> None:
    """Times in ISO 8601, and nothing where there is nothing to say."""
    text = "opened in last 30 days and born < 2000-01-01"
    found = explain_contact(engine, text, "bob", CONTEXT).to_dict()
    assert json.loads(json.dumps(found)) == {
        "contact": "bob",
        "holds": False,
        "as_of": "2026-05-09T14:00:00+02:00",
        "time_zone": "Europe/Berlin",
        "root": {
            "text": "did opened in last 30 days and born < 2000-01-01",
            "kind": "all of",
            "span": {"start": 0, "end": 44},
            "holds": False,
            "parts": [
                {
                    "text": "did opened in last 30 days",
                    "kind": "condition",
                    "span": {"start": 0, "end": 22},
                    "holds": False,
                    "events": [
                        {
                            "about": "email_open from 2026-04-09T12:00:00.000001Z to"
                            " 2026-05-09T12:00:00Z",
                            "count": 0,
                            "in_window": 0,
                            "in_all": 1,
                            "first": [],
                            "last": [],
                            "latest": {
                                "type": "email_open",
                                "time": "2026-04-09T14:00:00+02:00",
                                "properties": {"campaign": "april"},
                            },
                        }
                    ],
                    "stretches": [
                        {
                            "about": "email_open",
                            "first": "2026-04-09T14:00:00.000001+02:00",
                            "last": "2026-05-09T14:00:00+02:00",
                        }
                    ],
                },
                {
                    "text": "born < 2000-01-01",
                    "kind": "condition",
                    "span": {"start": 27, "end": 44},
                    "holds": True,
                    "values": [{"text": "born", "value": "1984-02-29"}],
                    "stretches": [{"about": "born", "last": "1999-12-31"}],
                },
            ],
        },
    }
