"""docs/language.md is the language: its grammar is the grammar parsed, its examples are read."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from headcount.model.errors import UserError
from headcount.query.format import format as canonical
from headcount.query.lexicon import ALL_FUNCTIONS, UNITS
from headcount.query.limits import Limits
from headcount.query.parse import grammar, parse
from headcount.query.tree import Unit

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
BLOCK = PAGE.split("```")[1].strip()

# Each line of the grammar on the page, and what it allows. A changed line needs its examples anew.
PRODUCTIONS: dict[str, list[str]] = {
    "segment   := or": ["everyone"],
    'or        := and ( "or" and )*': ["a = 1 or b = 2 OR c = 3"],
    'and       := not ( "and" not )*': ["a = 1 and b = 2 And not c = 3"],
    'not       := "not" not | primary': ["not not a = 1"],
    'primary   := "(" segment ")" | "everyone" | condition': ["((everyone))", "not (a = 1)"],
    "condition := value cmp value": [
        *(f"a + 1 {cmp} 2 * b" for cmp in ["=", "==", "!=", "<>", "<", "<=", ">", ">=", "is"]),
        "a is not b",
    ],
    '| value ["not"] "between" value "and" value': [
        "a between 1 and b + 2 and c = 1",
        "a not between 1 and 2",
    ],
    '| value ["not"] "in" "(" value ("," value)* ")"': ['a in (1, "b", c)', "a not in (1)"],
    '| value ["not"] ("contains" | "starts with" | "ends with" | "like" | "matches") string': [
        f"a {negation} {word} 'b'"
        for word in ("contains", "starts with", "ends\twith", "like", "matches")
        for negation in ("", "not")
    ],
    '| value ["not"] "contains" ("any" | "all" | "none") "(" ... ")"': [
        f"a {negation} contains {mode} ('b', 'c')"
        for mode in ("any", "all", "none")
        for negation in ("", "not")
    ],
    '| value "is" ["not"] "empty"': [
        "a is empty", "a is not empty", "a = null", "a == null", "a != null", "a <> null",
        "a is null", "a is not null",
    ],
    '| value ("before" | "after" | "on") time': [
        "a before 2026-01-02", "a after now", "a on today - 3 days",
    ],
    '| value ["not"] "within" ("last" | "next") duration': [
        "a within last 7 days", "a not within next 1 month",
    ],
    '| value ("more than" | "less than" | "at least" | "at most") duration "ago"': [
        "a more than 3 days ago", "a less than 3 days ago", "a at least 1 day ago",
        "a at most 2 weeks ago",
    ],
    '| value ("<" | "<=" | ">" | ">=") duration "ago"': [
        f"a {op} 3 hours ago" for op in ("<", "<=", ">", ">=")
    ],
    '| ["not"] "in" "list" string | ["not"] "in" "any" "list" "(" ... ")"'
    ' | ["not"] "opted out of list" string': [
        "in list 'a'", "not in list 'a'", "in any list ('a', 'b')", "not in any list ('a')",
        "opted out of list 'a'", "not opted\nout of list 'a'",
    ],
    '| ["not"] "in" "segment" string': ["in segment 'a'", "not in segment 'a'"],
    '| "sample" number "%" [ "of" string ]': ["sample 10%", "sample 0.5% of 'a'"],
    "| event_condition": ["did open"],
    "event_condition :=": ["did open"],
    '("did" | "did not" | "never did") event [ "where" "(" segment-over-properties ")" ]'
    " [ times ] [ window ]": [
        "did open", "did not open", "never did open", "did open where (a = 1 or not b = 2)",
        "did open where (a = 1) once in last 3 days", "open where (a = 1) today", "open twice",
    ],
    "| event cmp number [ noun ] [ window ]": [
        "open >= 5", "open >= 5 emails", "open = 5 in last 3 days", "open is 5 emails today",
        "open < 2 emails in last 60 days",
    ],
    '| "did" event [ "where" (...) ] [ times ] "in" "at least" m "of the last" k'
    ' ( unit"s" | "periods of" duration )': [
        "did open in at least 3 of the last 4 weeks",
        "did open where (a = 1) at least 2 times in at least 3 of the last 4 months",
        "did open in at least 3 of the last 4 periods of 2 weeks",
    ],
    '| "did" event [ "where" (...) ] "then" ("did" | "did not") event [ "where" (...) ]'
    ' "within" duration [ window ]': [
        "did open then did click within 7 days",
        "did open where (a = 1) then did not click where (b = 2) within 1 hour in last 90 days",
    ],
    'times     := ("at least" | "at most" | "exactly" | "more than" | "fewer than") n "times"'
    ' | "once" | "twice" | n "times"': [
        f"did open {times}"
        for times in (
            "at least 3 times", "at most 3 times", "exactly 3 times", "more than 3 times",
            "fewer than 3 times", "once", "twice", "3 times",
        )
    ],
    '| "between" a "and" b "times"': [
        "did open between 2 and 5 times", "open between 2 and 5 times",
    ],
    'window    := "in" ["the"] "last" duration | "in last month" ... | "between" time "and" time'
    ' | "before" time': [
        f"did open {window}"
        for window in (
            "in last 3 days", "in the last 3 days", "in last month", "in the last week",
            "between 2026-01-01 and now", "before today - 3 days",
        )
    ],
    '| "after" time | "since" time | "on" date | "today" | "yesterday"'
    ' | ("this" | "last") ("week"|"month"|"quarter"|"year") | "ever"': [
        f"did open {window}"
        for window in (
            "after 3 days ago", "since yesterday", "on 2026-01-02", "today", "yesterday", "ever",
            *(f"{which} {unit}" for which in ("this", "last")
              for unit in ("week", "month", "quarter", "year")),
        )
    ],
    "value     := arithmetic (+ - * / and parentheses) over: literals, fields,"
    " calculated fields,": [
        "(a + b) * 2 / -c - 1 > $1_000.50 × 2", "a = 'b'", "a = true", "a = 2026-01-02",
        "a = 2026-01-02T03:04:05.6Z", "`a b` > 30 days",
    ],
    "month(d) day(d) weekday(d) year(d) hour(t) anniversary(d) current_month() abs() round() min()"
    " max() coalesce() length()": [
        "month(d) = 1", "day(d) = 1", "weekday(d) = 1", "year(d) = 1", "hour(t) = 1",
        "anniversary(d) = today", "month(d) = current_month()", "abs(a) = 1", "round(a, 2) = 1",
        "min(a, b) = 1", "max(a, b) = 1", "coalesce(a, b, 0) = 1", "length(a) = 1",
    ],
    "count(event [where (...)] [window])": [
        "count(open) > 1", "count(open where (a = 1) in last 3 days) > 1",
        "count(open between 2026-01-01 and now) > 1", "count(open before now) > 1",
    ],
    "sum|avg|min|max|distinct(event.property [where (...)] [window])": [
        f"{function}(open.a{rest}) > 1"
        for function in ("sum", "avg", "min", "max", "distinct")
        for rest in ("", " where (b = 1)", " in last 3 days", " where (b = 1) since 2026-01-01",
                     " between 2026-01-01 and now", " after 2026-01-01")
    ],
    "first|last(event [where (...)] [window])": [
        "first(open) before 2026-01-02", "last(open where (a = 1) this year) is empty",
    ],
    'time      := date | datetime | "now" | "today" | "yesterday" | "tomorrow"'
    ' | time (+|-) duration | duration "ago"': [
        f"did open before {time}"
        for time in (
            "2026-01-02", "2026-01-02T03:04", "now", "today", "yesterday", "tomorrow",
            "tomorrow - 1 day + 2 hours - 3 minutes", "30 days ago", "30 days ago + 1 hour",
        )
    ],
    'duration  := n ("minute" | "hour" | "day" | "week" | "month" | "quarter" | "year")["s"]': [
        f"a within last 3 {unit}{plural}" for unit in Unit for plural in ("", "s")
    ],
}  # fmt: skip


def production(line: str) -> str:
    """Return a line of the block without its comment and indentation."""
    return re.sub(r"\s+--.*", "", line).strip()


def test_every_line_of_the_grammar_has_examples() -> None:
    """The table above is about the page as it is."""
    lines = [production(line) for line in BLOCK.splitlines()]
    assert [line for line in lines if line] == list(PRODUCTIONS)


@pytest.mark.parametrize("line", PRODUCTIONS)
def test_what_a_line_of_the_grammar_allows_is_read(line: str) -> None:
    """Each example of a production is a segment, and so is its canonical text."""
    for example in PRODUCTIONS[line]:
        segment = parse(example)
        assert parse(canonical(segment)) == segment, example


def test_the_page_and_the_parser_have_the_same_words() -> None:
    """No keyword or function of the page is unknown to the parser, and none is missing there."""
    code = re.sub(r"--.*", "", BLOCK)
    shown = set(re.findall(r"[a-z_]+", " ".join(re.findall(r'"([^"]*)"', code))))
    shown -= {"s"}  # the plural of the units
    prose = set(re.findall(r"[a-z_]+", PAGE))
    parsed = set(grammar().keywords) - set(UNITS) | {unit.value for unit in Unit}
    assert shown <= parsed
    assert parsed <= prose
    assert {
        name for name in ALL_FUNCTIONS if f"{name}(" not in code and f"{name}|" not in code
    } == set()


def test_the_grammar_file_has_the_rules_of_the_page() -> None:
    """Each operator that the page shows in quotes stands in grammar.lark."""
    rules = resources.files("headcount.query").joinpath("grammar.lark").read_text(encoding="utf-8")
    for words in re.findall(r'"([a-z ]+)"', re.sub(r"--.*", "", BLOCK)):
        assert all(f'"{word}"' in rules or word in UNITS or word == "s" for word in words.split())


# Code on the page that is a part of a segment: a segment with that part in it.
FRAGMENTS = {
    "\\": r"x like 'a\%'",
    "$500": "x = $500",
    "×": "x × 2 = 1",
    "*": "x * 2 = 1",
    "--": "x = 1 -- 2",
    "%": "x like '%'",
    "count(...) = 0": "count(open) = 0",
    "and plan is not empty": 'plan != "Free" and plan is not empty',
    '""': 'x = ""',
    '= ""': 'x = ""',
    '!= ""': 'x != ""',
    "0": "x = 0",
    "false": "x = false",
    "true": "x = true",
    "<": "x < 1",
    ">": "x > 1",
    "=": "x = 1",
    "!=": "x != 1",
    ">=": "x >= 1",
    "<=": "x <= 1",
    "is": "x is 1",
    "is not": "x is not 1",
    "is empty": "x is empty",
    "is not empty": "x is not empty",
    "not": "not x = 1",
    "and": "x = 1 and y = 2",
    "or": "x = 1 or y = 2",
    "not in": "x not in (1)",
    "in (...)": "x in (1)",
    'in ("x", "y")': 'x in ("x", "y")',
    "not between": "x not between 1 and 2",
    "between": "x between 1 and 2",
    "contains": "x contains 'a'",
    "not contains": "x not contains 'a'",
    'contains "x"': 'x contains "x"',
    '= "x"': 'x = "x"',
    "contains none": "x contains none ('a')",
    "not contains any": "x not contains any ('a')",
    "starts with": "x starts with 'a'",
    "ends with": "x ends with 'a'",
    "in list": "in list 'x'",
    "opted out of list": "opted out of list 'x'",
    "where": "did open where (x = 1)",
    "at least": "did open at least 3 times",
    "in": "did open in last month",
    "in last 30 days": "did open in last 30 days",
    "in last month": "did open in last month",
    "in last 1 month": "did open in last 1 month",
    "in last d": "did open in last 3 days",
    "last month": "did open last month",
    "this week": "did open this week",
    "today": "did open today",
    "yesterday": "did open yesterday",
    "tomorrow": "x = tomorrow",
    "now": "x < now",
    "30 days ago": "x < 30 days ago",
    "d ago": "x < 3 days ago",
    "> 2 months ago": "x > 2 months ago",
    "now - d": "x < now - 3 days",
    "between D1 and D2": "did open between 2026-01-01 and 2026-01-02",
    "between X and Y": "did open between now and now",
    "between D and E": "x between 2026-01-01 and 2026-01-02",
    "before D": "did open before 2026-01-01",
    "after D": "did open after 2026-01-01",
    "on D": "did open on 2026-01-01",
    "since D": "did open since 2026-01-01",
    "before X": "did open before now",
    "after X": "did open after now",
    "since X": "did open since now",
    "= D": "x = 2026-01-01",
    "< D": "x < 2026-01-01",
    "<= D": "x <= 2026-01-01",
    "> D": "x > 2026-01-01",
    ">= D": "x >= 2026-01-01",
    "within next 7 days": "x within next 7 days",
    "within last 7 days": "x within last 7 days",
    "within last 1 month": "x within last 1 month",
    "within next 1 month": "x within next 1 month",
    "anniversary(d)": "anniversary(d) = today",
    "current_month()": "month(x) = current_month()",
    "month(today)": "month(today) = 1",
    "not did A then did B within D": "not did A then did B within 7 days",
    "in at least m of the last k weeks": "did open in at least 3 of the last 4 weeks",
    "sample p%": "sample 10%",
    "between 9 and 3": "x between 9 and 3",
}
# Code on the page that is not in the language.
OTHER = (
    "headcount.v1.Segment", "format(parse(text))", "as_of - 30 d < t <= as_of",
    "as_of < t <= as_of + 7 d", "--for-send",
    '"today"', '"30 days ago"',
)  # fmt: skip


def code_on_the_page() -> list[str]:
    """Return every piece of code in running text, once, without JSON."""
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    found = re.findall(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", prose, flags=re.DOTALL)
    pieces = dict.fromkeys(" ".join(piece.split()) for _, piece in found)
    return [piece for piece in pieces if not piece.startswith("{")]


@pytest.mark.parametrize("piece", code_on_the_page())
def test_code_on_the_page_is_read(piece: str) -> None:
    """Every example in the text is a segment, or a named part of one."""
    if piece in FRAGMENTS:
        with pytest.raises(UserError):
            parse(piece)
        parse(FRAGMENTS[piece])
    elif piece not in OTHER:
        parse(piece)


def test_the_limits_on_the_page_are_the_defaults() -> None:
    """Section 6 states the numbers that are set."""
    limits = Limits()
    stated = (
        f"{limits.conditions:,} conditions, depth {limits.depth}, "
        f"{limits.text_bytes // 1024} KiB of text, {limits.values:,} values in one `in (...)`"
    )
    assert stated in PAGE
