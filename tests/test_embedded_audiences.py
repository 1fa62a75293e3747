"""Audiences of a workspace that is written to: each write is in the next one."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headcount.care import workspaces
from headcount.embedded import Workspace
from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.segments.audience import Funnel
from headcount.storage.folder import WriterLock

SCHEMA = Schema(
    fields={"plan": Field("plan", FieldType.KEYWORD)},
    events={"purchase": EventType("purchase", ("bought",))},
    lists=("news", "offers"),
)
NOW = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)
STATUSES = ("Active", "Active", "Active", "Active", "Unsubscribed", "Hard Bounce", None)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace, open for writing."""
    path = tmp_path / "data"
    with WriterLock(path) as lock:
        workspaces.create(path, "default", SCHEMA, lock, epoch=7)
    with Workspace.open(path) as found:
        yield found


def sendable(shop: Workspace) -> str:
    """Return who on the plan Pro may be written to on the list news."""
    found = shop.sendable("plan = Pro", on_list="news")
    return " ".join(sorted(id_ for ids in found for id_ in ids))


def test_2_9_171_172_each_write_is_in_the_next_audience(shop: Workspace) -> None:
    """Requirements 2, 9, 143, 171, 172: what is acknowledged counts, with no new export."""
    pro = {"fields": {"plan": "Pro", "status": "Active"}}
    shop.upsert([{"id": "ann", **pro}, {"id": "bob", **pro}])
    assert sendable(shop) == "ann bob"
    shop.upsert([{"id": "cem", **pro}])  # minutes before the send
    assert sendable(shop) == "ann bob cem"
    shop.upsert([{"id": "ann", "lists": [{"list": "news", "action": "opt_out"}]}])
    assert sendable(shop) == "bob cem"
    shop.suppress(["bob", "stranger"])
    assert sendable(shop) == "cem"
    shop.upsert([{"id": "cem", "fields": {"status": "Hard Bounce"}}])
    funnel = shop.resolve("plan = Pro", on_list="news").funnel
    assert (funnel.matched, [one.removed for one in funnel.steps]) == (3, [0, 0, 1, 1, 1])
    shop.upsert([{"id": "ann", "lists": [{"list": "news", "action": "opt_in"}]}])
    shop.unsuppress(["bob"])
    assert sendable(shop) == "ann bob"
    shop.delete(["bob"])
    assert sendable(shop) == "ann"


@dataclass
class Person:
    """What the model knows of a contact."""

    plan: str | None = None
    status: str | None = None
    opted_out: set[str] = field(default_factory=set)
    bought: bool = False


@dataclass
class Model:
    """The workspace in plain Python."""

    people: dict[str, Person] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)

    def funnel(self) -> tuple[list[int], list[str]]:
        """Return the numbers of "Pro, but not buyers, on news", and who is sendable."""
        gone, left = [0] * 6, []
        for id_, one in self.people.items():
            if one.plan != "Pro":
                continue
            steps = (
                one.bought,
                one.status not in ("Active", "Hard Bounce"),
                "news" in one.opted_out,
                id_ in self.suppressed,
                one.status == "Hard Bounce",
                True,
            )
            step = steps.index(True)
            gone[step] += 1
            if step == 5:
                left.append(id_)
        return gone, sorted(left)


def numbers(funnel: Funnel) -> list[int]:
    """Return what each step took, and what is left."""
    return [*(one.removed for one in funnel.steps), funnel.sendable]


def step(shop: Workspace, model: Model, dice: random.Random) -> None:
    """Write something at random, to the workspace and to the model."""
    ids = [f"c{n}" for n in range(40)]
    id_ = dice.choice(ids)
    match dice.randrange(6):
        case 0 | 1:
            made = dice.sample(ids, 6)
            plan, status = dice.choice(("Pro", "Pro", "Free")), dice.choice(STATUSES)
            fields = {"plan": plan, "status": status}
            shop.upsert([{"id": one, "fields": fields} for one in made])
            for one in made:
                person = model.people.setdefault(one, Person())
                person.plan, person.status = plan, status
        case 2:
            name, action = dice.choice(SCHEMA.lists), dice.choice(("opt_out", "opt_out", "opt_in"))
            some = dice.sample(ids, 5)
            shop.upsert([{"id": one, "lists": [{"list": name, "action": action}]} for one in some])
            for one in some:
                person = model.people.setdefault(one, Person())
                (person.opted_out.add if action == "opt_out" else person.opted_out.discard)(name)
        case 3:
            some = dice.sample(ids, 3)
            if dice.random() < 0.6:
                shop.suppress(some)
                model.suppressed |= set(some)
            else:
                shop.unsuppress(some)
                model.suppressed -= set(some)
        case 4:
            if id_ in model.people and dice.random() < 0.6:
                shop.delete([id_])
                del model.people[id_]
        case 5:
            if id_ in model.people:
                shop.record([{"contact": id_, "type": "purchase", "time": NOW}])
                model.people[id_].bought = True


@pytest.mark.parametrize("run", range(3, 7))
def test_random_writes_are_in_the_next_audience(shop: Workspace, run: int) -> None:
    """Fields, opt-outs, suppression, deletions and events, 80 a run: every number and every id."""
    dice, model = random.Random(run), Model()
    reached = [0] * 6
    for _ in range(80):
        step(shop, model, dice)
        found = shop.sendable("plan = Pro", "bought ever", on_list="news")
        gone, left = model.funnel()
        assert numbers(found.funnel) == gone
        assert sorted(id_ for ids in found for id_ in ids) == left
        reached = [a + bool(b) for a, b in zip(reached, gone, strict=True)]
    assert min(reached) > 0, reached
