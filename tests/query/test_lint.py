"""
Lint: what is probably a mistake is said, with a code, a place and what to do.

What has a number in docs/checklist.md names it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headcount.model.errors import Reason, UserError
from headcount.model.fold import key
from headcount.query import lint
from headcount.query.bind import bind
from headcount.query.bound import QueryWarning
from headcount.query.conditions import complement
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.limits import DEFAULT
from headcount.query.parse import parse
from headcount.query.preview import preview
from headcount.query.saved import Saved
from headcount.segments.definition import Definition, Draft
from headcount.segments.saved import Catalogue
from support import oracle
from support.asking import happened, instant, schema
from support.engines import Engines, context_at, view_of
from support.golden import assert_as_reviewed
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases
from support.worlds import World

GOLDEN = Path(__file__).parent / "golden" / "lint.txt"
SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
CONTEXT = context_at(AS_OF, "Europe/Berlin")
ENGINE = Engine(view_of(SHOP, 2))


def said(warnings: tuple[QueryWarning, ...]) -> str:
    """Return warnings as they are reviewed: code, message and place."""
    lines = []
    for warning in warnings:
        lines.append(f"{warning.code}: {warning.message}")
        if warning.position is not None:
            lines += ["  " + line.rstrip() for line in warning.position.caret().split("\n")]
    return "\n".join(lines) or "no warnings"


def codes(text: str, engine: Engine = ENGINE, *, for_send: bool = False) -> list[str]:
    """Return the codes of a preview's warnings."""
    found = preview(engine, text, CONTEXT, for_send=for_send)
    return [warning.code for warning in found.warnings]


def saved(**texts: str) -> Saved:
    """Return segments saved under names."""
    drafts = (Draft(name, parse(text), source=text) for name, text in texts.items())
    return Catalogue({key(one.name): Definition.of(one, 1, 0, 0) for one in drafts}, 1)


# --- what is said -----------------------------------------------------------------------------


def test_warnings_read_as_reviewed() -> None:
    """180, 182, 183: each says what is the matter, where, and what to do."""
    assert_as_reviewed(GOLDEN, lambda text: said(preview(ENGINE, text, CONTEXT).warnings))


def test_what_needs_no_counts_is_said_by_validate_too() -> None:
    """And only by it: that a condition changes nothing takes counting."""

    def validated(text: str) -> list[str]:
        return [w.code for w in ENGINE.validate(text, CONTEXT).warnings]

    assert validated("country = DE or vip = true and spent > 5") == ["MIXED_AND_OR"]
    assert validated("status = Active") == ["STATUS_ALONE"]
    assert validated("country = DE and country = US") == ["ALWAYS_EMPTY"]
    assert validated("plan is empty or plan is not empty") == ["ALWAYS_FULL"]
    assert validated("spent > 100 and orders > 0") == []


def test_a_count_tells_what_the_words_show() -> None:
    """A plain count says it where that costs nothing."""
    found = ENGINE.count("country = DE or vip = true and spent > 5", CONTEXT)
    assert [warning.code for warning in found.warnings] == ["MIXED_AND_OR"]


def test_a_tree_has_no_parentheses_to_be_missed() -> None:
    """Who sends JSON or a message has said what belongs together."""
    text = "country = DE or vip = true and spent > 5"
    assert [w.code for w in preview(ENGINE, parse(text), CONTEXT).warnings] == ["NO_EFFECT"]


def test_canonical_text_is_not_mixed() -> None:
    """83: what Headcount writes itself keeps `and` and `or` apart."""
    segment = parse("country = DE or vip = true and spent > 5")
    assert "MIXED_AND_OR" not in codes(canonical(segment))


def test_a_segment_for_a_send_asks_for_the_status() -> None:
    """154: only where it chooses who is written to; also by way of another segment."""
    engine = Engine(view_of(SHOP), saved=saved(active='status = "Active"'))
    assert codes("spent > 100", engine) == []
    assert codes("spent > 100", engine, for_send=True) == ["NO_STATUS"]
    assert codes("spent > 100 and status != Pending", engine, for_send=True) == ["NO_EFFECT"] * 0
    assert "NO_STATUS" not in codes('spent > 0 and in segment "active"', engine, for_send=True)
    validated = engine.validate("spent > 100", CONTEXT, for_send=True)
    assert [warning.code for warning in validated.warnings] == ["NO_STATUS"]


def test_a_status_that_changes_nothing_today_is_not_needless() -> None:
    """Whoever follows one warning is not told off by another."""
    assert codes("vip = true and status = Active") == []


def test_no_contacts_have_no_doubts() -> None:
    """Of a workspace without contacts nothing is counted."""
    empty = Engine(view_of(World(SHOP.schema, {}, [])))
    assert codes("spent > 100 and orders > 0", empty) == []


# --- what is certain --------------------------------------------------------------------------


def uncertain(seed: int, count: int) -> tuple[str | None, int]:
    """Return a segment that is called always empty or full and is not, and how many are called."""
    engines, called = Engines(), 0
    for case in seeded_cases(seed, count, sizes=(20,)):
        view = engines.over(case.world).view
        context = context_at(case.as_of, case.zone)
        condition = bind(case.segment, view, context).condition
        empty, full = lint.never(condition), lint.never(complement(condition))
        if empty or full:
            called += 1
            held = oracle.members(case.world, case.segment, case.as_of, case.zone)
            if held != (set(case.world.contacts) if full else set()):
                return canonical(case.segment), called
    return None, called


def test_what_is_always_empty_is_empty() -> None:
    """180: whatever is called always empty, or full, is so in random worlds."""
    wrong, called = uncertain(SEED + 90, 3000)
    assert wrong is None
    assert called > 30


def test_a_wrong_certainty_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes `or` for `and` is seen by the same test."""
    monkeypatch.setattr(lint, "all", any, raising=False)
    assert uncertain(90, 3000)[0] is not None


# --- labels out of use ------------------------------------------------------------------------

LABELLED = World(
    schema(
        {"spent": "number"},
        {"email_open": {}, "email_send": {}},
        lists=("news",),
    ),
    {
        "ann": {"label": ("old", "both")},
        "bob": {"label": ("mailed",)},
        "cem": {"label": ("new",), "created_at": instant("2026-05-01")},
        "dee": {"label": ("edge", "both")},
        "eva": {"label": ("past",)},
        "fay": {"spent": 1.0},
    },
    [
        *happened("ann", "email_open", "2025-01-01"),
        *happened("bob", "email_send", "2026-05-08"),
        *happened("dee", "email_open", "2026-02-08"),
        *happened("eva", "email_open", "2026-02-07T23:59:59"),
    ],
)


@pytest.mark.parametrize("rows", [1, 4, 64])
def test_a_label_nobody_used_lately(rows: int) -> None:
    """183: nobody with it was created or did anything in 90 days; mail sent to them is nothing."""
    engine = Engine(view_of(LABELLED, rows))
    context = context_at(AS_OF)

    def stale(text: str) -> list[str]:
        found = engine.validate(text, context).warnings
        return [w.message.split("`")[1] for w in found if w.code == "STALE_LABEL"]

    assert stale('label = "old"') == ["old"]
    assert stale('label contains "mailed"') == ["mailed"]
    assert stale('label not contains "past"') == ["past"]
    assert stale('label contains any ("new", "old")') == ["old"]
    assert stale('label = "new" or label = "edge" or label = "both"') == []
    assert stale("spent = 1") == []


def test_a_quiet_workspace_has_no_stale_labels() -> None:
    """Where nobody at all did anything, a label is not to blame."""
    engine = Engine(view_of(LABELLED, 4))
    later = context_at(instant("2027-01-01"))
    assert engine.validate('label = "old"', later).warnings == ()
    assert engine.validate('label = "old"', QueryContext(-(1 << 55), later.zone)).warnings == ()


# --- near-duplicates --------------------------------------------------------------------------

MANY = World(
    schema({"n": "number", "m": "number"}),
    {str(i): {"n": float(i), "m": float(i % 7)} for i in range(200)},
    [],
)


def alike(text: str, editing: str = "", rows: int = 16, **texts: str) -> list[str]:
    """Return the messages of near-duplicates among saved segments."""
    engine = Engine(view_of(MANY, rows), saved=saved(**texts))
    found = preview(engine, text, CONTEXT, editing=editing).warnings
    return [w.message for w in found if w.code == "NEAR_DUPLICATE"]


@pytest.mark.parametrize("rows", [16, 64, 1024])
def test_a_near_duplicate_of_a_saved_segment(rows: int) -> None:
    """184: 95 % of those in either are in both; at 94 % it is another segment."""
    (same,) = alike("n < 100", rows=rows, big="not n >= 100 and n is not empty")
    assert same == (
        'the saved segment "big" holds the same 100 contacts; use `in segment "big"`, or keep one'
        " of the two"
    )
    (near,) = alike("n < 95", rows=rows, big="n < 100")
    assert "95 of the 100 contacts in either are in both" in near
    assert alike("n < 94", rows=rows, big="n < 100") == []
    assert len(alike("n < 100", rows=rows, big="n < 95")) == 1
    assert alike("n < 100", rows=rows, big="n < 94") == []


def test_a_segment_is_no_duplicate_of_itself() -> None:
    """The one that is edited is left out, and `in segment` says what it is."""
    assert alike("n < 101", editing="BIG", big="n < 100") == []
    assert len(alike("n < 101", editing="big", big="n < 100", other="n < 102")) == 1
    assert alike('in segment "big"', big="n < 100") == []


def test_nobody_is_like_nobody() -> None:
    """Two empty segments are not called the same."""
    assert alike("n < 0", none="n < -1") == []


def test_of_many_saved_segments_the_most_alike_are_compared() -> None:
    """Those that share most words with it; the others are not even counted."""
    texts = {f"other {i}": f"m = {i % 7} and n > {i}" for i in range(30)}
    assert len(alike("n < 100", **texts, big="n < 100")) == 1
    common = {f"other {i}": f"n < {i} and m < 7" for i in range(101, 400)}
    found = alike("m < 7 and n < 350", **common)
    assert any('"other 350"' in message for message in found)


def test_the_most_alike_come_first() -> None:
    """Among thousands that share all common words, by the rare ones and the share of all."""
    kept = saved(**{f"s{i:04}": f"country = DE and spent > {i}" for i in range(1200)})
    names = [one.name for one in kept.alike("spent > 1007 and country = DE", 3)]
    assert names[0] == "s1007"
    assert [one.name for one in kept.alike("country = DE and spent > 5000", 1)] == ["s0000"]
    assert kept.alike("nothing like it", 5) == ()
    assert len(kept.alike("", 5000)) == 1200


def test_a_saved_segment_that_cannot_be_asked_is_like_nothing() -> None:
    """The schema may have changed since it was saved."""
    assert alike("n < 100", gone="gone < 100") == []


def test_looking_for_duplicates_ends_with_the_query() -> None:
    """The deadline is asked before each of them."""

    class Late:
        def __init__(self) -> None:
            self.asked = 0

        def __call__(self) -> None:
            self.asked += 1
            if self.asked > limit:
                raise UserError(Reason.DEADLINE_EXCEEDED, "too late")

    texts = {f"n{i}": f"n < {100 + i}" for i in range(4)}
    view, kept = view_of(MANY, 1024), saved(**texts)
    limit = 1_000

    def asked() -> int:
        check = Late()
        context = QueryContext(CONTEXT.as_of, CONTEXT.zone, DEFAULT, check)
        preview(Engine(view, saved=kept), "n < 100", context)
        return check.asked

    limit = asked() - 1
    with pytest.raises(UserError, match="too late"):
        asked()
