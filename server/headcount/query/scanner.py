"""
Text to tokens.

One regular expression finds the next token, whatever the parser expects; it knows no keywords. A
`WORD` becomes a keyword, a name or a noun in parse.py, which can ask the parser what fits. That is
lark's contextual lexer with one scanner instead of one for each of 295 parser states, and with a
place for what people mistype: what looks like a date but is none, `&&`, typographic quotes, `5k`.
Each of those is refused here, by a message that says what to write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from lark import Token

from headcount.model.errors import Position, Reason, UserError
from headcount.query.lexicon import UNITS, clipped, word_end

_TOKEN = re.compile(
    r"""
      (?P<SKIP>         (?: \s+ | --[^\n]* )+ )
    | (?P<WORD>         [^\W\d]\w* )
    | (?P<STRING>       " (?: [^"\\\n] | \\. )* " | ' (?: [^'\\\n] | \\. )* ' )
    | (?P<QUOTED>       ` (?: [^`\n] | `` )* ` )
    | (?P<MISWRITTEN>   => | =< | === | !== | && | \|\| | // | /\* )
    | (?P<COMPARISON>   <= | >= | <> | != | == | = | < | > )
    | (?P<TIMELIKE>     [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?![0-9])
                        (?: (?: [Tt] | [ ](?=[0-9]{1,2}:) ) [0-9:.]*
                            (?: [Zz](?!\w) | [+-][0-9]{2}:?[0-9]{2}(?![0-9]) )? )? )
    | (?P<OTHER_DATE>   [0-9]{1,2} (?P<by>[/.-]) [0-9]{1,2} (?P=by) [0-9]{4} (?![0-9])
                      | [0-9]{4} (?P<and>[/.]) [0-9]{1,2} (?P=and) [0-9]{1,2} (?![0-9]) )
    | (?P<NUMBER>       [$€£¥]? (?: [0-9]+ (?:_[0-9]+)* (?: \.[0-9]+ )? | \.[0-9]+ )
                        (?: [eE][+-]?[0-9]+ )? )
    | (?P<LPAR>         \( )
    | (?P<RPAR>         \) )
    | (?P<COMMA>        , )
    | (?P<DOT>          \. )
    | (?P<PERCENT>      % )
    | (?P<PLUS>         \+ )
    | (?P<MINUS>        - )
    | (?P<STAR>         [*×] )
    | (?P<SLASH>        / )
    """,
    re.VERBOSE,
)
_new = str.__new__
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)

# What to write instead of what `_TOKEN` calls MISWRITTEN, and of characters that start no token.
_INSTEAD = {
    "=>": "`>=`", "=<": "`<=`", "===": "`=`", "!==": "`!=`", "&&": "`and`", "||": "`or`",
    "//": "`--` for a comment", "/*": "`--` for a comment",
    "&": "`and`", "|": "`or`", "!": "`not`, or `!=`", "≥": "`>=`", "≤": "`<=`", "≠": "`!=`",
    "−": "`-`", "–": "`-`", "—": "`-`, or `--` for a comment", "÷": "`/`", "·": "`*`",
    "[": "`(`", "]": "`)`", "{": "`(` (JSON is not read as text)", "}": "`)`",
    ":": "`=` (text goes in quotes)",
    "#": "`--` for a comment",
}  # fmt: skip
_TYPOGRAPHIC = "“”„‟‘’‚‛«»‹›"
_DATE_FORM = "2026-03-04 (year-month-day)"


class SpanError(Exception):
    """
    A user's error whose place is known as a range of the text, by a part that has no text at hand.

    It never leaves the parser, which turns it into a UserError.
    """

    def __init__(
        self,
        message: str,
        start: int,
        end: int,
        *,
        reason: Reason = Reason.SYNTAX,
        suggestions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.reason = reason
        self.suggestions = suggestions

    def within(self, text: str) -> UserError:
        """Return the error with its place in *text*."""
        place = Position.at(text, self.start, self.end)
        return UserError(self.reason, self.message, position=place, suggestions=self.suggestions)


def scan(text: str, start: int = 0) -> Iterator[Token]:
    """
    Yield the tokens of *text* from *start* on, with `type`, `value`, `start_pos` and `end_pos` set.

    Types are the names of the groups above, and DATE or DATETIME for what looks like a time.

    Raises:
        SpanError: something that starts no token, or looks like one and is not.
    """
    position, end = start, len(text)
    match = _TOKEN.match
    while position < end:
        found = match(text, position)
        if found is None:
            raise _not_a_token(text, position)
        kind = found.lastgroup
        assert kind is not None
        start, position = position, found.end()
        if kind == "SKIP":
            continue
        value = found.group()
        if kind == "WORD":
            if position < end and not text[position].isascii():
                position = word_end(text, start)
                value = text[start:position]
        elif kind == "NUMBER":
            _check_number_ends(text, start, position)
        elif kind == "TIMELIKE":
            kind = _time_kind(value, start)
        elif kind == "OTHER_DATE":
            raise _not_a_date(value, start)
        elif kind == "MISWRITTEN":
            message = f"expected {_INSTEAD[value]}, found `{value}`"
            raise SpanError(message, start, position)
        token = _new(Token, value)  # 4 times as fast as lark's own way
        token.type, token.value = kind, value
        token.start_pos, token.end_pos = start, position
        yield token


def _check_number_ends(text: str, start: int, end: int) -> None:
    """Refuse `5k` and `1.2.3`, which would otherwise be read as two things."""
    last = end
    if text[end : end + 1] in (".", "_"):
        found = re.compile(r"[\w.]*").match(text, end)
        last = found.end() if found else end + 1
    else:
        last = word_end(text, end)
        if last == end or text[end:last].lower() in UNITS:
            return
    message = f"expected a number, found `{clipped(text[start:last])}`"
    if text[end:last] in ("k", "K"):
        message += f"; write it out: `{text[start:end]}_000`"
    elif text[end:last] in ("m", "M"):
        message += f"; write it out: `{text[start:end]}_000_000`"
    elif text[end:last] in ("d", "h", "w", "y", "min", "mo", "hr", "hrs"):
        message += "; units of time are written out: `30 days`, `24 hours`"
    raise SpanError(message, start, last)


def time_kind(text: str) -> str | None:
    """Return DATE or DATETIME for a text that is written as one, else None."""
    if _DATE.fullmatch(text):
        return "DATE"
    return "DATETIME" if _DATETIME.fullmatch(text) else None


def _time_kind(value: str, start: int) -> str:
    kind = time_kind(value)
    if kind is not None:
        return kind
    end = start + len(value)
    if len(value) <= len("2026-03-04"):
        year, month, day = value.split("-")
        dashes = f"{year}-{month:0>2}-{day:0>2}"
        raise SpanError(
            f"expected a date such as {_DATE_FORM}, found `{clipped(value)}`; "
            f"write `{dashes}`, or put spaces around `-` to subtract",
            start,
            end,
        )
    raise SpanError(
        "expected a time such as `2026-03-04T17:30`, `2026-03-04T17:30:00Z` or "
        f"`2026-03-04T17:30:00.5+02:00`, found `{clipped(value)}`",
        start,
        end,
    )


def _not_a_date(value: str, start: int) -> SpanError:
    return SpanError(
        f"expected a date such as {_DATE_FORM}, found `{clipped(value)}`; "
        "to calculate, put spaces around the operators",
        start,
        start + len(value),
    )


def _not_a_token(text: str, start: int) -> SpanError:
    """Return the error for a character with which no token starts."""
    character = text[start]
    if character == "'" and start and text[start - 1].isalnum():
        message = 'text with an apostrophe goes in double quotes, such as "O\'Brien"'
        return SpanError(message, start, start + 1)
    if character in "\"'":
        message = f"this text is not closed on its line; end it with {character}"
        return SpanError(message, start, start + 1)
    if character == "`":
        message = "this name is not closed on its line; end it with another backtick"
        return SpanError(message, start, start + 1)
    if character in _TYPOGRAPHIC:
        message = f"""expected a straight quote, " or ', found `{character}`"""
    elif character in _INSTEAD:
        message = f"expected {_INSTEAD[character]}, found `{character}`"
    elif character == ";":
        message = "expected the end, found `;`; a segment is one condition, joined by `and` or `or`"
    elif character == "$":
        message = "expected a number behind `$`"
    elif character.isprintable():
        message = f"unexpected character `{character}`; text goes in quotes, names in backticks"
    else:
        name = unicodedata.name(character, "a control character")
        message = f"unexpected invisible character U+{ord(character):04X} ({name}); remove it"
    return SpanError(message, start, start + 1)
