"""Settings of a watch: seeding, re-entry, and pauses that end while time goes by."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from headcount.model.schema_toml import parse as parse_schema
from headcount.query.clock import to_micros
from headcount.segments.watch.binding import Definition, course_of
from headcount.segments.watch.commit import Touched
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.transitions import Kind, Reason, Reentry, Settings, Transition
from support.watching import Commit, Views
from support.worlds import Event, World

SCHEMA = parse_schema('[fields]\nplan = "keyword"\n[events.open]\n')
START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
UTC = ZoneInfo("UTC")


class Play:
    """A watch over one world that is changed by hand, hour by hour."""

    def __init__(self, segment: str, settings: Settings, plans: dict[str, str]) -> None:
        self.world = World(SCHEMA, {id_: {"plan": plan} for id_, plan in plans.items()}, [])
        self.views = Views(self.world)
        self.view = self.views.of(self.world)
        self.definition = Definition(segment, UTC)
        course = course_of(self.definition, self.view)
        self.membership, seeds = Membership.begin(self.view, course, settings, to_micros(START))
        self.said: list[Transition] = list(seeds)

    def write(self, hour: float, touched: set[str], world: World) -> None:
        """Commit *world* so many hours after the start."""
        before, self.view, self.world = self.view, self.views.of(world), world
        ordinals = self.views.touched(type("S", (), {"touched": touched})())
        commit = Commit(before, self.view, to_micros(START + hour * HOUR), ordinals)
        self.said += self.membership.commit(Touched(commit))

    def plan(self, hour: float, id_: str, plan: str) -> None:
        """Put a contact on a plan."""
        contacts = {**self.world.contacts, id_: {"plan": plan}}
        self.write(hour, {id_}, replace(self.world, contacts=contacts))

    def opens(self, hour: float, id_: str, at: float) -> None:
        """Record an open at an hour, at another."""
        event = Event(id_, "open", START + at * HOUR)
        self.write(hour, {id_}, replace(self.world, events=[*self.world.events, event]))

    def delete(self, hour: float, id_: str) -> None:
        """Delete a contact."""
        contacts = {i: c for i, c in self.world.contacts.items() if i != id_}
        events = [e for e in self.world.events if e.contact != id_]
        self.write(hour, {id_}, replace(self.world, contacts=contacts, events=events))

    def until(self, hour: float) -> None:
        """Let time go by."""
        self.said += self.membership.advance(to_micros(START + hour * HOUR))

    @property
    def log(self) -> list[str]:
        """What was said, as `hour kind contact reason`."""
        return [
            f"{(one.at - to_micros(START)) / 3.6e9:g} {one.kind} {one.contact} {one.reason}"
            for one in self.said
        ]


PLANS = {"a": "Pro", "b": "Free", "c": "Pro"}


def test_members_at_the_beginning_are_told_only_when_asked_for() -> None:
    """Without seeding they are members unsaid, and their leaving is told."""
    seeded = Play("plan = Pro", Settings(seed=True), PLANS)
    assert seeded.log == ["0 enter a definition", "0 enter c definition"]
    silent = Play("plan = Pro", Settings(), PLANS)
    silent.plan(1, "a", "Free")
    assert silent.log == ["1 exit a data"]
    assert [one.number for one in silent.said] == [1]


def test_a_deleted_contact_leaves() -> None:
    """It is named, although the view no longer has it."""
    play = Play("plan = Pro", Settings(), PLANS)
    play.delete(1, "c")
    play.delete(2, "b")
    assert play.log == ["1 exit c data"]


def test_what_a_batch_undoes_is_not_seen() -> None:
    """Only the views before and after a batch count."""
    play = Play("plan = Pro", Settings(), PLANS)
    play.write(1, {"a", "b"}, play.world)
    assert play.log == []


def test_once_is_once() -> None:
    """Who left does not enter again, and leaves no second time."""
    play = Play("plan = Pro", Settings(reentry=Reentry.ONCE), PLANS)
    for hour, plan in enumerate(("Free", "Pro", "Free", "Pro"), 1):
        play.plan(hour, "a", plan)
    play.plan(9, "b", "Pro")
    assert play.log == ["1 exit a data", "9 enter b data"]


def test_a_pause_ends_at_its_instant() -> None:
    """Who belongs when the pause is over enters then; who does not, later."""
    rule = Settings(reentry=Reentry.AFTER, pause=to_micros(START + 4 * HOUR) - to_micros(START))
    play = Play("plan = Pro", rule, PLANS)
    play.plan(1, "a", "Free")
    play.plan(1, "c", "Free")
    play.plan(2, "a", "Pro")
    play.plan(3, "a", "Free")
    play.plan(4, "a", "Pro")
    play.until(9)
    play.plan(10, "c", "Pro")
    assert play.log == ["1 exit a data", "1 exit c data", "5 enter a time", "10 enter c data"]


def test_who_ceases_to_belong_as_the_pause_ends_stays_out() -> None:
    """At that very microsecond the window is left."""
    rule = Settings(reentry=Reentry.AFTER, pause=to_micros(START + 2 * HOUR) - to_micros(START))
    play = Play("did open in last 1 hour", rule, {"a": "Pro"})
    play.opens(0.5, "a", 0.5)
    play.opens(2.5, "a", 2.5)  # barred from 1.5 to 3.5, belongs until 3.5
    play.until(5)
    assert play.log == ["0.5 enter a data", "1.5 exit a time"]


@pytest.mark.parametrize("cut", [1, 7, 60])
def test_it_does_not_matter_how_often_one_looks(cut: int) -> None:
    """A sleep of a month and a look every hour tell the same."""
    plays = [Play("did open at least 2 times in last 2 days", Settings(), PLANS) for _ in (0, 1)]
    for play in plays:
        for hour in (1, 2, 30, 31, 49, 100, 101):
            play.opens(0, "a", hour)
    plays[0].until(400)
    for hour in range(0, 401, cut):
        plays[1].until(hour)
    plays[1].until(400)
    assert plays[0].said == plays[1].said
    assert plays[0].log == [
        "2 enter a time", "79 exit a time", "101 enter a time", "148 exit a time",
    ]  # fmt: skip


def test_another_definition_tells_what_it_changes() -> None:
    """Those who are in both are not heard of."""
    play = Play("plan = Pro", Settings(), PLANS)
    course = course_of(Definition("plan in (Free)", UTC), play.view)
    at = to_micros(START + HOUR)
    play.said += play.membership.redefine(course, at, Reason.DEFINITION, play.view)
    assert play.log == ["1 exit a definition", "1 enter b definition", "1 exit c definition"]
    assert play.said[0].kind is Kind.EXIT


def test_a_batch_from_before_the_clock_happens_now() -> None:
    """A watch that was ahead does not go back."""
    play = Play("plan = Pro", Settings(), PLANS)
    play.until(5)
    play.plan(3, "a", "Free")
    assert play.log == ["5 exit a data"]
