"""
Reckonings: random segments that calculate with `now`, and when somebody may turn by them.

A threshold drawn at random is met at no instant that a test looks at. So an instant is drawn, and
the threshold is what the calculation comes to for some contact just then: a microsecond earlier or
later it is another number. These instants are the `edges` of a reckoning, beside some more that are
spread over its time, so that nothing that happens in between stays unseen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headcount.model.schema_toml import parse as parse_schema
from headcount.query import tree
from headcount.query.parse import parse, parse_value
from headcount.query.tree import ArithmeticOp, CompareOp
from support import oracle
from support.dice import Choices
from support.oracle_values import Query
from support.random_worlds import Scene
from support.watching import US
from support.worlds import Event, World

SCHEMA = parse_schema(
    """
[fields]
plan = "keyword"
spent = "number"
orders = "number"
seen = "datetime"
due = "datetime"
signup = "date"
[events.open]
[events.order]
properties = { amount = "number", ships = "datetime", kind = "keyword" }
[calculated]
weeks_quiet = "round((now - seen) / 7)"
a_day = "spent / (now - seen)"
"""
)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata")
_FEW = (1.0, 2.0, 7.0, 0.5, 3.0, -2.0, 0.0, 24.0)
_SPREAD = 24  # instants that are looked at though nothing points at them


@dataclass(frozen=True)
class Reckoning:
    """A segment, and instants at which somebody may turn by it."""

    segment: tree.Segment
    edges: tuple[dt.datetime, ...]


def random_world(dice: Choices, scene: Scene) -> World:
    """Return contacts whose times lie hours and days around the scene's, to the microsecond."""

    def time(hours: int) -> dt.datetime:
        return scene.as_of + dt.timedelta(
            microseconds=dice.integer(-hours, 12) * 3_600_000_000
            + dice.pick((0, 0, 1, -1, 123_456))
        )

    def contact() -> dict[str, object]:
        return {
            "plan": dice.pick(("Pro", "Free", None)),
            "spent": dice.pick((0.0, 1.0, -3.5, 19.99, 250.0, None)),
            "orders": dice.pick((1.0, 0.0, 4.0, -2.0, None)),
            "seen": dice.pick((time(200), time(30), None)),
            "due": dice.pick((time(40), time(-1), None)),
            "signup": dice.pick((time(300).date(), None)),
        }

    def order() -> dict[str, object]:
        return {
            "amount": dice.pick((5.0, 7.5, 0.0, None)),
            "ships": dice.pick((time(30), time(-1), None)),
            "kind": dice.pick(("gift", "own", None)),
        }

    contacts = {f"c{n}": contact() for n in range(dice.integer(3, 8))}
    ids = list(contacts)
    events = [Event(dice.pick(ids), "open", time(60)) for _ in range(dice.integer(0, 14))] + [
        Event(dice.pick(ids), "order", time(60), properties=order())
        for _ in range(dice.integer(0, 12))
    ]
    return World(SCHEMA, contacts, events)


class Reckonings:
    """Makes segments about one world, and the time from *after* to *to*."""

    def __init__(
        self, dice: Choices, world: World, zone: str, after: dt.datetime, to: dt.datetime
    ) -> None:
        self.dice = dice
        self.world = world
        self.zone = zone
        self.after = after
        self.to = to
        self._edges: list[dt.datetime] = []

    def reckoning(self) -> Reckoning:
        """Return a segment and its edges."""
        self._edges = []
        segment = self._segment(self.dice.pick((0, 1, 1, 2)))
        step = (self.to - self.after) / _SPREAD
        spread = [self.after + n * step for n in range(1, _SPREAD)]
        near = [at + n * US for at in self._edges for n in (-1, 0, 1)]
        return Reckoning(segment, tuple(near + spread))

    def _segment(self, depth: int) -> tree.Segment:
        if not depth:
            return self._condition()
        match self.dice.integer(0, 4):
            case 0:
                return tree.Not(self._segment(depth - 1))
            case 1 | 2:
                return tree.And((self._segment(depth - 1), self._beside()))
            case _:
                return tree.Or((self._segment(depth - 1), self._condition()))

    def _beside(self) -> tree.Segment:
        """Return a condition that is watched for other reasons."""
        texts = (
            "plan = Pro",
            "did open in last 1 day",
            "seen within last 2 days",
            "orders > 0",
            "did not order in last 20 hours",
            "due > now",
            "now - signup > 1.25",
            "seen + 1 month < now + 29 days",
            "now - coalesce(due, first(open)) > 0.5",
        )
        return parse(self.dice.pick(texts))

    def _condition(self) -> tree.Segment:
        dice = self.dice
        if dice.chance(15):
            return self._now_between()
        if dice.chance(20):
            return self._events_where()
        number = self._number(dice.integer(0, 2))
        match dice.integer(0, 9):
            case 0:
                field = tree.Name(dice.pick(("spent", "orders")))
                return tree.Compare(number, dice.pick((CompareOp.GT, CompareOp.LE)), field)
            case 1:
                return tree.IsEmpty(number, negated=dice.chance(50))
            case 2:
                low, high = self._threshold(number), self._threshold(number)
                return tree.Between(number, low, high, negated=dice.chance(30))
            case 3:
                options = tuple(self._threshold(number) for _ in range(dice.integer(1, 6)))
                return tree.In(number, options, negated=dice.chance(30))
        ops = (CompareOp.GT, CompareOp.GE, CompareOp.LT, CompareOp.LE, CompareOp.EQ, CompareOp.NE)
        return tree.Compare(number, dice.pick(ops), self._threshold(number))

    def _now_between(self) -> tree.Segment:
        """Return what is so for everyone, for a while."""
        low, high = sorted((self._instant(), self._instant()))
        now: tree.Value = tree.TimeWord(tree.Moment.NOW)
        if self.dice.chance(30):
            now = parse_value(f"coalesce(due, {low.isoformat().replace('+00:00', 'Z')})")
            return tree.Within(now, tree.Direction.LAST, tree.Duration(40, tree.Unit.MINUTE))
        return tree.Between(now, tree.DateTime(low), tree.DateTime(high))

    def _events_where(self) -> tree.Segment:
        """Return a condition on events among which the clock chooses."""
        dice = self.dice
        hours = dice.integer(1, 40)
        where = dice.pick(
            (
                f"ships within next {hours} hours",
                f"ships > now - {hours} hours and kind = gift",
                f"ships < now or amount > 6 and ships > now + {hours} hours",
                f"not ships within last {hours} hours",
                f"round((now - ships) * 24) >= {hours}",
                f"(ships - now) * amount > {hours / 4}",
                "ships + 90 minutes > now and abs(now - ships) < 1.125",
            )
        )
        times = dice.pick(("", " at least 2 times", " exactly 1 times", " fewer than 2 times"))
        window = dice.pick(("", "", " in last 30 hours", " since yesterday"))
        did = dice.pick(("did", "did", "did not"))
        return parse(f"{did} order where ({where}){times}{window}")

    def _instant(self) -> dt.datetime:
        """Return an instant of the time, which is an edge."""
        span = (self.to - self.after) // US
        at = self.after + self.dice.integer(1, span) * US
        self._edges.append(at)
        return at

    def _threshold(self, number: tree.Value) -> tree.Value:
        """Return what *number* is for some contact at some instant."""
        at = self._instant()
        query = Query(self.world, at, ZoneInfo(self.zone))
        subjects = oracle.contacts_of(self.world)
        held = oracle.value(query, self.dice.pick(subjects), number) if subjects else None
        if not isinstance(held, int | float):
            held = self.dice.pick(_FEW)
        if self.dice.chance(15):
            held = float(round(held))
        return tree.Number(float(held))

    def _number(self, depth: int) -> tree.Value:
        dice = self.dice
        if not depth:
            return self._days()
        inner = self._number(depth - 1)
        makers: list[Callable[[], tree.Value]] = [
            lambda: tree.Call("round", (inner,)),
            lambda: tree.Call("abs", (inner,)),
            lambda: self._calculated(inner, tree.Number(dice.pick(_FEW))),
            lambda: self._calculated(inner, self._fixed()),
            lambda: self._calculated(self._fixed(), inner),
            lambda: tree.Call(dice.pick(("min", "max")), (inner, tree.Number(dice.pick(_FEW)))),
            lambda: tree.Call("coalesce", (inner, self._fixed())),
            lambda: tree.Call("coalesce", (self._fixed(), inner)),
            lambda: self._calculated(inner, self._days()),
            lambda: tree.Negative(inner),
        ]
        return dice.pick(makers)()

    def _calculated(self, left: tree.Value, right: tree.Value) -> tree.Value:
        return tree.Arithmetic(self.dice.pick(tuple(ArithmeticOp)), left, right)

    def _fixed(self) -> tree.Value:
        texts = (
            "spent",
            "orders",
            "count(open)",
            "count(open in last 9 hours)",
            "due - seen",
            "sum(order.amount in last 1 day)",
            "max(spent, orders)",
        )
        return parse_value(self.dice.pick(texts))

    def _days(self) -> tree.Value:
        texts = (
            "now - seen",
            "now - seen",
            "due - now",
            "now - signup",
            "now - last(open)",
            "now - coalesce(last_open, due, seen)",
            "now - 2 hours - coalesce(due, seen)",
            "weeks_quiet",
            "a_day",
            "now - first(open in last 2 days)",
            "now - seen",
            "seen + 6 hours - now",
            "now - FIXED",
        )
        text = self.dice.pick(texts)
        if "FIXED" in text:
            known = self._instant() - dt.timedelta(hours=self.dice.integer(-9, 90))
            text = text.replace(
                "FIXED", known.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
            )
        return parse_value(text)
