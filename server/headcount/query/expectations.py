"""
What the parser could have taken, in words.

The parser knows a set of terminals; a person wants "a number of days, such as `30 days`". Each
entry of `_EXPECTATIONS` is a set of terminals that gives a state away, and the words for it; the
first whose terminals would all be taken is the one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lark import Token

from headcount.query.lexicon import RESERVED, clipped

CONDITION = 'a condition, such as `country = "US"` or `did open in last 30 days`'
OPERATOR = "an operator, such as `=`, `>`, `in` or `contains`"
UNIT = "a unit of time: minutes, hours, days, weeks, months, quarters or years"

_EXPECTATIONS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(terminals.split()), words)
    for terminals, words in (
        ("DID NAME", CONDITION),
        ("EMPTY NUMBER", "a value to compare with"),
        ("NAME NUMBER RPAR", "a value or `)`"),
        ("NAME NUMBER", "a value, such as a number, a date, text in quotes or a field"),
        ("COMPARISON CONTAINS", OPERATOR),
        ("CONTAINS LIKE", "`in`, `between`, `contains`, `within` or the like behind `not`"),
        ("ANY STRING", "text in quotes, or `any`, `all` or `none`"),
        ("NOT QUOTED", "the name of an event"),
        ("COMMA RPAR", "`,` or `)`"),
        ("AND OR RPAR", "`and`, `or` or `)`"),
        ("AND OR", "`and`, `or` or the end"),
        ("RPAR", "`)`"),
        ("AND", "`and` and the upper end, as in `between 1 and 5`"),
        ("LPAR LAST", 'values in parentheses, such as `("US", "CA")`, or `last`'),
        ("AT LAST", "`last` or `at least`, as in `in last 30 days`"),
        ("NUMBER UNIT", "a number of days, such as `30 days`"),
        ("PERIODS UNIT", "a unit of time such as `weeks`, or `periods of` a duration"),
        ("UNIT", UNIT),
        ("LAST NEXT", "`last` or `next`, as in `within last 30 days`"),
        ("LEAST MOST", "`least` or `most`, as in `at least 3 times`"),
        ("ANY LIST SEGMENT", "`list`, `any list` or `segment`"),
        ("TIMES", "`times`, as in `at least 3 times`"),
        ("PERCENT", "`%`, as in `sample 10%`"),
        ("WHERE WITHIN", "`where (...)` or `within`, as in `then did click within 7 days`"),
        ("PLUS STAR", "`+`, `-`, `*`, `/` or the end"),
    )
)

_OF_THE_LAST = "`of the last`, as in `in at least 3 of the last 4 weeks`"
_OPTED_OUT = '`opted out of list "news"`'

# What a state with one terminal wants depends on the word before it.
_BEHIND: dict[tuple[str, str], str] = {
    ("OF", "NUMBER"): _OF_THE_LAST,
    ("THE", "OF"): _OF_THE_LAST,
    ("OUT", "OPTED"): _OPTED_OUT,
    ("OF", "OUT"): _OPTED_OUT,
    ("LIST", "OF"): _OPTED_OUT,
    ("NUMBER", "LEAST"): "a number, such as `at least 3 times`",
    ("NUMBER", "MOST"): "a number, such as `at most 3 times`",
    ("NUMBER", "EXACTLY"): "a number, such as `exactly 3 times`",
    ("NUMBER", "THAN"): "a number, such as `more than 30 days ago` or `more than 3 times`",
    ("NUMBER", "SAMPLE"): "a share, such as `sample 10%`",
    ("STRING", "LIST"): "the name of a list in quotes",
    ("STRING", "SEGMENT"): "the name of a segment in quotes",
    ("LPAR", "WHERE"): "`(`, as in `where (amount > 100)`",
    ("LPAR", "IN"): 'values in parentheses, such as `("US", "CA")`',
    ("QUOTED", "DOT"): "the name of a property",
}
_SOLE = {
    "NUMBER": "a number of days, such as `30 days`",
    "STRING": "text in quotes",
    "QUOTED": "the name of an event",
    "LPAR": 'text in parentheses, such as `("a", "b")`',
}


@dataclass(frozen=True, slots=True)
class Failure:
    """
    A token that the parser did not take.

    `tokens` ends with it; `accepted` is what would have been taken in its place; `keywords` is the
    terminal of each keyword; `rest` is the token behind it, of type $END if there is none.
    """

    text: str
    tokens: list[Token]
    accepted: frozenset[str]
    keywords: dict[str, str]
    open_parentheses: list[Token]
    rest: Token

    @property
    def found(self) -> Token:
        """The token that was not taken."""
        return self.tokens[-1]

    def clipped(self) -> Failure:
        """Return the same with the values of tokens short enough for a message."""
        tokens = [_clipped(token) for token in self.tokens]
        return replace(self, tokens=tokens, rest=_clipped(self.rest))

    def back(self, n: int) -> Token:
        """Return the token *n* before the one that was not taken, of type START if none is."""
        return self.tokens[-1 - n] if n < len(self.tokens) else Token("START", "", 0, end_pos=0)


def _clipped(token: Token) -> Token:
    return Token(token.type, clipped(token.value), token.start_pos, end_pos=token.end_pos)


def expected(failure: Failure) -> str:
    """Return what could have stood in place of the token."""
    accepted = failure.accepted
    for terminals, words in _EXPECTATIONS:
        if terminals <= accepted:
            return words
    before = failure.back(1).type
    for terminal in ("QUOTED", "STRING", "NUMBER", "LPAR"):
        if terminal in accepted:
            return _BEHIND.get((terminal, before), _SOLE[terminal])
    for terminal in ("OF", "THE", "OUT", "LIST"):
        if (terminal, before) in _BEHIND and terminal in accepted:
            return _BEHIND[terminal, before]
    names = [f"`{terminal.lower()}`" for terminal in sorted(accepted)]
    return " or ".join((", ".join(names[:-1]), names[-1]) if len(names) > 1 else names)


def described(token: Token) -> str:
    """Return what was found, for the end of a message."""
    if token.type == "$END":
        return "the end"
    value: str = token.value
    if token.type in ("STRING", "QUOTED"):
        return value
    keyword = "the keyword " if token.value.lower() in RESERVED else ""
    return f"{keyword}`{value}`"
