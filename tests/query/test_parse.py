"""The parser: what the text becomes, where words are keywords, and the places of nodes."""

from __future__ import annotations

import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import pytest
from lark import Lark, logger

from headcount.model.errors import UserError
from headcount.query import tree
from headcount.query.lexicon import RESERVED, UNITS, is_bare_word
from headcount.query.parse import grammar, parse
from headcount.query.tree import (
    Ago,
    And,
    Arithmetic,
    ArithmeticOp,
    Between,
    Call,
    Compare,
    CompareOp,
    Date,
    DateTime,
    Did,
    Duration,
    DurationValue,
    EventSelector,
    In,
    InList,
    IsEmpty,
    LastWindow,
    Name,
    Not,
    Number,
    Or,
    String,
    TextMatch,
    TextOp,
    Times,
    TimesOp,
    Unit,
)

A, B, C = (Compare(Name(name), CompareOp.EQ, Number(1.0)) for name in "abc")
THIRTY = Duration(30, Unit.DAY)
OPENED = EventSelector("opened")

TREES: dict[str, tree.Segment] = {
    # structure
    "a = 1 or b = 1 and c = 1": Or((A, And((B, C)))),
    "not a = 1 and b = 1": And((Not(A), B)),
    "not (a = 1 and b = 1)": Not(And((A, B))),
    "a = 1 and b = 1 and c = 1": And((A, B, C)),
    "a = 1 and (b = 1 and c = 1)": And((A, And((B, C)))),
    "a=1--x\nAnd--y\nb=1": And((A, B)),
    # comparisons
    "a is 1": A,
    "a == 1": A,
    "a is not 1": Compare(Name("a"), CompareOp.NE, Number(1.0)),
    "a <> 1": Compare(Name("a"), CompareOp.NE, Number(1.0)),
    "a = null": IsEmpty(Name("a")),
    "a != NULL": IsEmpty(Name("a"), negated=True),
    "a is not empty": IsEmpty(Name("a"), negated=True),
    "a before 2026-02-08": Compare(Name("a"), CompareOp.BEFORE, Date(dt.date(2026, 2, 8))),
    "a LIKE '%x%'": TextMatch(Name("a"), TextOp.LIKE, "%x%"),
    "a not starts\n  with -- so\n 'x'": TextMatch(Name("a"), TextOp.STARTS_WITH, "x", True),
    "not a in (b, 'c', -2)": Not(In(Name("a"), (Name("b"), String("c"), Number(-2.0)))),
    # times: an age, an instant, a duration
    "a > 30 days ago": tree.Age(Name("a"), CompareOp.GT, THIRTY),
    "a less than 30 days ago": tree.Age(Name("a"), CompareOp.LT, THIRTY),
    "a after 30 days ago": Compare(Name("a"), CompareOp.AFTER, Ago(THIRTY)),
    "a > (30 days ago)": tree.Age(Name("a"), CompareOp.GT, THIRTY),
    "a > 30 days": Compare(Name("a"), CompareOp.GT, DurationValue(THIRTY)),
    "a > today - 30 days": Compare(
        Name("a"),
        CompareOp.GT,
        Arithmetic(ArithmeticOp.SUBTRACT, tree.TimeWord(tree.Moment.TODAY), DurationValue(THIRTY)),
    ),
    "a = 2026-01-02 03:04:05.5Z": Compare(
        Name("a"), CompareOp.EQ, DateTime(dt.datetime(2026, 1, 2, 3, 4, 5, 500_000, dt.UTC))
    ),
    # events
    "opened": Did(OPENED),
    "(opened)": Did(OPENED),
    "not opened": Not(Did(OPENED)),
    "did not opened": Did(OPENED, negated=True),
    "never did opened": Did(OPENED, negated=True),
    "opened in last 30 days": Did(OPENED, window=LastWindow(THIRTY)),
    "opened = 0": Compare(Name("opened"), CompareOp.EQ, Number(0.0)),
    "opened >= 5 emails": Did(OPENED, Times(TimesOp.AT_LEAST, 5)),
    "opened >= 5 in last 30 days": Did(OPENED, Times(TimesOp.AT_LEAST, 5), LastWindow(THIRTY)),
    "opened != 5 times": Did(OPENED, Times(TimesOp.EXACTLY, 5), negated=True),
    "opened between 2 and 5": Between(Name("opened"), Number(2.0), Number(5.0)),
    "opened between 2 and 5 times": Did(OPENED, Times(TimesOp.BETWEEN, 2, 5)),
    "did opened today": Did(OPENED, window=tree.CalendarWindow(tree.Period.TODAY)),
    "opened > today": Compare(Name("opened"), CompareOp.GT, tree.TimeWord(tree.Moment.TODAY)),
    # membership
    "not in list 'x'": InList(("x",), negated=True),
    "not (in list 'x')": Not(InList(("x",))),
    "not not in list 'x'": Not(InList(("x",), negated=True)),
    # values
    "min(a, 1) = 1": Compare(Call("min", (Name("a"), Number(1.0))), CompareOp.EQ, Number(1.0)),
    "a = $1_000.5e1": Compare(Name("a"), CompareOp.EQ, Number(10_005.0)),
    "a = .5": Compare(Name("a"), CompareOp.EQ, Number(0.5)),
    "a = -b * -2": Compare(
        Name("a"),
        CompareOp.EQ,
        Arithmetic(ArithmeticOp.MULTIPLY, tree.Negative(Name("b")), Number(-2.0)),
    ),
    "a - b - c = 1": Compare(
        Arithmetic(
            ArithmeticOp.SUBTRACT,
            Arithmetic(ArithmeticOp.SUBTRACT, Name("a"), Name("b")),
            Name("c"),
        ),
        CompareOp.EQ,
        Number(1.0),
    ),
    "`a``b` = TRUE": Compare(Name("a`b", quoted=True), CompareOp.EQ, tree.Boolean(True)),
    r"""a = "\"\\\'\n\d\u00e9\ud83d\ude00" """: Compare(
        Name("a"), CompareOp.EQ, String("\"\\'\n\\dé😀")
    ),
    # keywords are names where no keyword fits
    "list = last and day = first": And(
        (
            Compare(Name("list"), CompareOp.EQ, Name("last")),
            Compare(Name("day"), CompareOp.EQ, Name("first")),
        )
    ),
    "did then then did times within 1 day": tree.Sequence(
        EventSelector("then"), EventSelector("times"), Duration(1, Unit.DAY)
    ),
    "count(count) = 0": Compare(
        tree.EventValue(tree.EventPick.COUNT, EventSelector("count")), CompareOp.EQ, Number(0.0)
    ),
    "हिन्दी = Größe": Compare(Name("हिन्दी"), CompareOp.EQ, Name("Größe")),
}


@pytest.mark.parametrize(("text", "expected"), TREES.items())
def test_text_becomes_this_tree(text: str, expected: tree.Segment) -> None:
    """Each text becomes the tree written beside it."""
    assert parse(text) == expected


def test_nodes_know_their_place() -> None:
    """The span of a node is the text it was read from, parentheses included."""
    text = "(plan = Pro  and did open ever)  or `x` * (y + 1) > 3"
    spans = []
    stack: list[tree.Node] = [parse(text)]
    while stack:
        node = stack.pop()
        assert node.span is not None
        spans.append(text[node.span.start : node.span.end])
        stack.extend(tree.children(node))
    assert sorted(spans) == sorted(
        [
            text, "(plan = Pro  and did open ever)", "plan = Pro", "plan", "Pro", "did open ever",
            "open", "ever", "`x` * (y + 1) > 3", "`x` * (y + 1)", "`x`", "(y + 1)", "y", "1", "3",
        ]
    )  # fmt: skip


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    """LALR(1) as it stands: lark settles a conflict in silence, by shifting, unless it is asked."""
    text = resources.files("headcount.query").joinpath("grammar.lark").read_text(encoding="utf-8")
    starts = grammar().lark.options.start
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(caplog.handler)
    try:
        Lark(text, start=starts, parser="lalr", lexer="basic", debug=True)
        assert "conflict" not in caplog.text
        Lark('start: a\na: "if" a | "if" a "else" a | "x"', parser="lalr", debug=True)
        assert "conflict" in caplog.text  # the check can fail
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(level)


def test_reserved_words_are_those_that_could_be_read_both_ways() -> None:
    """Where a name fits, no keyword fits that is not reserved; so other keywords can be names."""
    tables = grammar()
    words = {terminal: word for word, terminal in tables.keywords.items()}
    states = tables.lark.parser.parser._parse_table.states  # type: ignore[attr-defined]
    ambiguous = {
        words[terminal]
        for terminals in states.values()
        if "NAME" in terminals
        for terminal in terminals
        if terminal in words
    }
    assert ambiguous <= RESERVED
    assert set(tables.keywords) >= RESERVED


@pytest.mark.parametrize("word", sorted({*grammar().keywords, *UNITS, *tree.FUNCTIONS}))
def test_every_word_that_is_not_reserved_can_be_a_name(word: str) -> None:
    """A field, an event and a bare string may be called like a keyword, but for a few."""
    if word in RESERVED:
        assert not is_bare_word(word)
        return
    assert parse(f"{word} = {word}") == Compare(Name(word), CompareOp.EQ, Name(word))
    assert parse(f"did {word}") == Did(EventSelector(word)) == parse(word)
    assert parse(f"{word} in ({word}, {word}) and {word} between {word} and {word}")


@pytest.mark.parametrize(
    "text",
    ["x = " + "1" * 5_000, "x = " + "0" * 5_000 + "9007199254740993", "x = 1" + "k" * 5_000,
     "did e at least " + "9" * 5_000 + " times", "x = 2026-01-01T" + "1:" * 5_000,
     "f" * 5_000 + "(x) = 1", "x " + "y" * 5_000, "x in " + "y" * 5_000, "x = `" + "y" * 5_000,
     "did e since " + "y" * 5_000, "x = 1 " + "y" * 5_000 + " z = 1", "x = a " + "y" * 5_000,
     "y" * 5_000 + ".a = 1", "did not " + "y" * 5_000 + " then did e within 1 day",
     "x is" + " " * 5_000 + "more than 3", "did e where (" + "y" * 5_000 + ")",
     "x = 1 or '" + "y" * 5_000 + "'"],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_messages_stay_short(text: str) -> None:
    """However long what was found is, the message quotes a piece of it."""
    with pytest.raises(UserError) as refused:
        parse(text)
    assert len(refused.value.message) < 300


def test_threads_share_the_tables() -> None:
    """Parsing in many threads at once gives what parsing in one gives."""
    texts = list(TREES) * 4
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(parse, texts)) == [TREES[text] for text in texts]
