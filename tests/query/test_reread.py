"""
Texts that are parsed with what was parsed before: the tree, the spans and the errors of `parse`.

HEADCOUNT_TEST_SEGMENTS is how many texts are edited, HEADCOUNT_ORACLE_SEED which.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import fields

import pytest

from headcount.model.errors import UserError
from headcount.query import reread as reread_module
from headcount.query.format import format as canonical
from headcount.query.limits import DEFAULT, Limits
from headcount.query.parse import parse, parse_edited
from headcount.query.reread import Operand, Operands, moved
from headcount.query.tree import Spanned
from support.dice import Dice
from support.strategies import seeded_cases

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000"))

# What is typed, and what may change where a token or an operand ends.
TYPED = (
    " ", "\n", "(", ")", '"', "'", "`", "a", "5", ".", "-", "--", "%", "and", "or", "not", " and ",
    " or ", " AND ", "and\u0301", "android", "\u00e9", "\u00a0", "between 1 and ", "--and\n", "T",
    " 10:00", '"a and b"', "= 1", " in last 3 days",
)  # fmt: skip
TEXTS = (
    "plan = Pro and country in (US, DE) and spent > 5",
    "spent between 1 and 5 and not (opened or clicked) and opened between 2 and 5 times",
    'name = "a and b" or `and` = 1 and x = \'or\'',
    "opened\nand clicked -- and\n and did purchase then did login within 3 days",
    "day = 2026-01-01 and t > 2026-01-01 10:00 and sample 5% and beta = 1",
    "a is empty and b is not empty or opened in last 30 days and c > 1 * 2 - 3",
    "not a = 1 and not in list \"x\" and everyone and did not buy where (a = 1 and b = 2)",
)  # fmt: skip


def told(error: UserError) -> tuple[object, ...]:
    """Return all that an error says."""
    return error.reason, error.message, error.position, error.field, error.suggestions


def spans(node: object) -> list[object]:
    """Return the kind and place of a node and of all that it holds."""
    if isinstance(node, tuple):
        return [spans(item) for item in node]
    if not isinstance(node, Spanned):
        return []
    inner = [spans(getattr(node, part.name)) for part in fields(node)]
    return [type(node).__name__, node.span, *inner]


def outcome(text: str, operands: Operands | None, limits: Limits = DEFAULT) -> object:
    """Return what a text is read as: the tree and where its nodes stand, or the error."""
    try:
        node = parse(text, limits) if operands is None else parse_edited(text, operands, limits)
    except UserError as error:
        return told(error)
    return node, spans(node)


def edits(dice: Dice, operands: list[str], steps: int) -> Iterator[str]:
    """Yield texts of which each is the one before with an operand or some characters changed."""
    chosen = [dice.pick(operands) for _ in range(dice.integer(1, 6))]
    joints = [dice.pick((" and ", " or ", "\nand ", ") and (", " and not ")) for _ in chosen]
    for _ in range(steps):
        if dice.chance(40):
            chosen[dice.integer(0, len(chosen) - 1)] = dice.pick(operands)
        text = "".join(f"{joint}{one}" for joint, one in zip(joints, chosen, strict=True))
        text = text[len(joints[0]) :]
        yield text
        for _ in range(dice.integer(0, 3)):
            place = dice.integer(0, len(text))
            end = min(len(text), place + dice.integer(0, 3))
            text = text[:place] + dice.pick(("", *TYPED)) + text[end:]
            yield text


class Counted(Operands):
    """A memory that counts how often it was asked, and how often it knew."""

    def __init__(self, most: int = reread_module.MOST) -> None:
        super().__init__(most)
        self.asked = self.known = 0

    def find(self, text: str, start: int, state: int, depth: int) -> Operand | None:
        found = super().find(text, start, state, depth)
        self.asked += 1
        self.known += found is not None
        return found


def difference(seed: int, count: int, memory: Operands) -> str | None:
    """Return a text that is read otherwise than `parse` reads it."""
    words = [canonical(case.segment) for case in seeded_cases(seed, count)]
    words += TEXTS
    dice = Dice(seed)
    for _ in range(count):
        for text in edits(dice, words, 5):
            if outcome(text, memory) != outcome(text, None):
                return text
    return None


@pytest.mark.parametrize("most", [4, 64, reread_module.MOST])
def test_edited_texts_are_read_as_any_text_is(most: int) -> None:
    """Trees, spans and errors, whatever was parsed before; many operands are known by then."""
    memory = Counted(most)
    assert difference(SEED * 3 + most, SEGMENTS // 20, memory) is None
    assert len(memory) <= most
    assert memory.known > SEGMENTS // 40


def test_a_span_that_stays_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same test sees where nodes stand."""
    monkeypatch.setattr(reread_module, "moved", lambda node, _: node)
    assert difference(3, 100, Operands()) is not None


@pytest.mark.parametrize("text", TEXTS)
def test_only_what_was_edited_is_read(text: str) -> None:
    """One that is added, and the one that ended the text; one that is changed; nothing."""
    memory = Counted()
    parse_edited(text, memory)
    first = memory.asked
    steps = (
        (f"{text} and edited = 17", first + 1, first - 1),
        (f"{text} and edited = 189", first + 1, first),
        (text, first, first),
    )
    for edited, asked, known in steps:
        memory.asked = memory.known = 0
        assert outcome(edited, memory) == outcome(edited, None)
        assert (memory.asked, memory.known) == (asked, known)


def test_an_error_is_that_of_the_whole_text() -> None:
    """Though what stands before it was not read again."""
    memory, text = Operands(), "country = DE and vip = true and spent > "
    parse_edited(text + "1", memory)
    found = outcome(text, memory)
    assert found == outcome(text, None)
    assert "expected" in str(found)


def test_a_lower_limit_is_not_passed_by() -> None:
    """What was read under one limit is not what is read under another."""
    memory, text = Operands(), "((((country = DE)))) and vip = true"
    parse_edited(text, memory)
    low = Limits(depth=3)
    assert outcome(text, memory, low) == outcome(text, None, low)
    assert "levels" in str(outcome(text, memory, low))
    few = Limits(conditions=1)
    assert outcome(text, memory, few) == outcome(text, None, few)


def test_long_operands_are_not_held() -> None:
    """A list of values is read each time."""
    memory = Operands()
    parse_edited(f"x in ({', '.join(map(str, range(1000)))}) and country = DE", memory)
    assert len(memory) == 1


def test_what_is_moved_is_moved_to_the_last_node() -> None:
    """Every span, and nothing else."""
    for text in TEXTS:
        node = parse(f"   {text}")
        assert spans(moved(parse(text), 3)) == spans(node)
        assert moved(node, -3) == node


def test_threads_share_a_memory() -> None:
    """Each reads what it would read alone."""
    memory, wrong = Operands(16), []
    expected = {text: outcome(text, None) for text in TEXTS}

    def read(shift: int) -> None:
        for n in range(200):
            text = TEXTS[(n * shift) % len(TEXTS)]
            if outcome(text, memory) != expected[text]:
                wrong.append(text)

    threads = [threading.Thread(target=read, args=(shift,)) for shift in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
