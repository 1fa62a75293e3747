"""Previews against the oracle: counts, and a sample that stays."""

from __future__ import annotations

import os

import pytest

from headcount.answers import Contact
from headcount.model.errors import Reason, UserError
from headcount.query import preview as preview_module
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.limits import DEFAULT
from headcount.query.parse import parse
from headcount.query.preview import Preview, preview
from headcount.query.results import Results
from support.compare import Case
from support.engines import Engines, context_at, view_of
from support.oracle_values import fmix64, fnv1a64
from support.parts import Parts, walk
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000"))
CONTEXT = context_at(AS_OF, "Europe/Berlin")


@pytest.fixture
def engine() -> Engine:
    """Return an engine over the shop, two contacts a block."""
    return Engine(view_of(SHOP, 2))


def drawn(members: set[str], size: int) -> list[str]:
    """Return the members with the lowest hashes."""
    return sorted(members, key=lambda id_: fmix64(fnv1a64(id_) ^ fnv1a64("")))[:size]


def said(found: Preview) -> tuple[int, int, list[int], list[str]]:
    """Return the numbers and the ids of a preview."""
    counts = [condition.count for condition in found.conditions]
    return found.count, found.contacts, counts, [contact.id for contact in found.sample]


def expected(case: Case, size: int) -> tuple[int, int, list[int], list[str]]:
    """Return the same by the oracle."""
    parts = Parts(case)
    members = parts.members(case.segment)
    nodes = dict(walk(case.segment))
    counts = [parts.count(path) for path, node in nodes.items() if not hasattr(node, "item")
              and not hasattr(node, "items")]  # fmt: skip
    return len(members), len(case.world.contacts), counts, drawn(members, size)


def disagreement(seed: int, count: int) -> str | None:
    """Return a case that is previewed otherwise than the oracle says."""
    engines = Engines()
    for case in seeded_cases(seed, count):
        context = context_at(case.as_of, case.zone)
        found = preview(engines.over(case.world), case.segment, context, size=5)
        if said(found) != expected(case, 5):
            return f"{canonical(case.segment)}: {said(found)}, not {expected(case, 5)}"
    return None


@pytest.mark.parametrize("run", range(2))
def test_previews_are_the_oracles(run: int) -> None:
    """The count, that of each condition, and the members with the lowest hashes."""
    assert disagreement(SEED * 2 + run + 40, SEGMENTS // 4) is None


def test_a_mistake_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample that leaves one out is seen by the same test."""

    class Short(preview_module.Draw):
        def result(self) -> list[tuple[int, int]]:
            return super().result()[:4]

    monkeypatch.setattr(preview_module, "Draw", Short)
    assert disagreement(40, 100) is not None


def test_a_preview_has_all_that_an_editor_shows(engine: Engine) -> None:
    """Counts with their places, contacts with their fields, and what looks wrong."""
    text = "(country = DE and not vip = false) or plan = Gold"
    found = preview(engine, text, CONTEXT, fields=("spent", "Country"), size=1)
    assert (found.count, found.contacts) == (2, 6)
    assert found.text == text
    assert [(c.text, c.count) for c in found.conditions] == [
        ("country = DE", 2),
        ("vip = false", 2),
        ("plan = Gold", 0),
    ]
    spans = [condition.node.span for condition in found.conditions]
    assert [text[s.start : s.end] for s in spans if s] == [c.text for c in found.conditions]
    assert found.sample == (Contact("cem", {"spent": 99.99, "country": "de"}),)
    assert [warning.message for warning in found.warnings][:1] == [
        "no contact has `Gold` in `plan`"
    ]
    codes = ["UNKNOWN_VALUE", "MOSTLY_MISSING", "NO_EFFECT", "NO_EFFECT"]
    assert [warning.code for warning in found.warnings] == codes


def test_the_sample_stays_while_a_segment_is_edited(engine: Engine) -> None:
    """Those who still fit are drawn again, in the same order."""
    before = [c.id for c in preview(engine, "everyone", CONTEXT, size=4).sample]
    after = [c.id for c in preview(engine, "spent is not empty", CONTEXT, size=4).sample]
    assert after == [id_ for id_ in before if "spent" in SHOP.contacts[id_]] + after[-1:]
    assert preview(engine, "everyone", CONTEXT, size=0).sample == ()


def test_editing_one_condition_works_one_out() -> None:
    """
    Of ten conditions nine are remembered, in every block, though the clock moves.

    What those nine hold together is worked out when it shows that the tenth is edited.
    """
    engine = Engine(view_of(SHOP, 3))
    ten = [
        "spent > {}", "spent < 5000", "orders > 0", "opened in last 30 days", "not bought",
        'city contains "o"', "born < 1999-01-01", "signed_up < 2 years ago",
        "sum(purchase.amount) >= 7", "spent / orders > 2",
    ]  # fmt: skip

    def worked_out(number: int, seconds: int) -> int:
        before = engine.results.usage().misses
        context = QueryContext(CONTEXT.as_of + 2 + seconds * 1_000_000, CONTEXT.zone)
        preview(engine, " and ".join(ten).format(number), context)
        return engine.results.usage().misses - before

    assert worked_out(10, 0) == 10 * 2
    assert worked_out(11, 1) == (1 + 1) * 2
    assert worked_out(12, 2) == 1 * 2
    assert worked_out(12, 3) == 0


def test_without_memory_the_answer_is_the_same() -> None:
    """The memory is for speed only."""
    text = "country = DE and opened in last 30 days or not bought"
    with_memory, without = Engine(view_of(SHOP, 2)), Engine(view_of(SHOP, 2), Results(0))
    assert preview(with_memory, text, CONTEXT) == preview(without, text, CONTEXT)
    assert without.results.usage().entries == 0


def test_a_tree_is_previewed_too(engine: Engine) -> None:
    """What is not text has no places, but the same numbers."""
    text = "country = DE and spent > 3"
    as_tree, as_text = preview(engine, parse(text), CONTEXT), preview(engine, text, CONTEXT)
    assert said(as_tree) == said(as_text)
    assert as_tree.segment == as_text.segment


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        ("contry = DE", (), "unknown field `contry`"),
        ("country = DE", ("plan", "contry"), "there is no field `contry`"),
        ("country =", (), "expected"),
    ],
)
def test_what_is_not_valid_is_refused(
    engine: Engine, text: str, fields: tuple[str, ...], message: str
) -> None:
    """The error of the segment, or of the field."""
    with pytest.raises(UserError, match=message):
        preview(engine, text, CONTEXT, fields=fields)


def test_a_newer_preview_may_end_an_older_one(engine: Engine) -> None:
    """The check is asked before each block and condition, and what it raises ends the preview."""

    class Cancelled:
        def __init__(self, after: int) -> None:
            self.left = after

        def __call__(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise UserError(Reason.CANCELLED, "a newer preview was asked for")

    for after in range(6):
        context = QueryContext(CONTEXT.as_of, CONTEXT.zone, DEFAULT, Cancelled(after))
        with pytest.raises(UserError, match="a newer preview"):
            preview(engine, "spent > 3 and orders > 1", context)
