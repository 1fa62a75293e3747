"""
Text to tree.

    text --scan--> tokens --keyword or name?--> lark's LALR(1) tables --builder--> tree

The tables are driven a token at a time, because only the parser's state tells whether a word is a
keyword: `last` is one behind `in` and a name behind `=`. Every step is a loop, so no depth of
nesting can exhaust the stack; the depth is then limited, so that nothing later needs such care.

The tables are lark's, the loop is ours: a rule that only hands its one part on (a name becomes a
product, a sum, a comparison, a conjunction) changes the state and nothing else, which is half of
all steps. Ten conditions take 0.31 ms, by lark's own loop 0.43; the first segment 100 ms more for
the tables. An Earley parser would take the grammar as it is printed in docs/language.md, but its
time is not linear in the length of a text that anyone may send.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from functools import cache
from importlib import resources
from itertools import chain
from typing import Any, NamedTuple, cast

from lark import Lark, Token
from lark.grammar import Rule
from lark.lexer import PatternStr
from lark.parsers.lalr_analysis import Shift

from headcount.model.errors import Reason, UserError
from headcount.query.builder import Builder
from headcount.query.diagnosis import diagnose
from headcount.query.expectations import Failure
from headcount.query.lexicon import RESERVED, UNITS
from headcount.query.limits import DEFAULT, Limits, excess, too_deep
from headcount.query.reread import Operand, Operands, State
from headcount.query.rules import text_fault
from headcount.query.scanner import SpanError, scan
from headcount.query.tree import Segment, Spanned, Value

_SEGMENT, _VALUE = "start", "lone_value"  # the rules of the grammar that are read on their own
_OPERAND = "inversion"  # the rule of what `and` and `or` join
_JOINTS = ("AND", "OR")


class Reduction(NamedTuple):
    """The last `size` parts become one by `make`, or without it the only one is handed on."""

    make: Callable[[list[Any]], Any] | None
    size: int
    origin: str


Step = State | Reduction  # a token is taken and leads to a state, or a rule is complete


class Grammar(NamedTuple):
    """The LALR tables, as lark made them and as they are driven; the terminals of keywords."""

    lark: Lark
    keywords: dict[str, str]
    steps: dict[State, dict[str, Step]]
    ends: dict[str, tuple[State, State]]  # where each start begins, and where it is complete


@cache
def grammar() -> Grammar:
    """Return the grammar, built on first use (100 ms)."""
    text = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    lark = Lark(
        text,
        start=[_SEGMENT, _VALUE],
        parser="lalr",
        lexer="basic",
        keep_all_tokens=True,
        transformer=Builder(),
    )
    keywords = {
        terminal.pattern.value: terminal.name
        for terminal in lark.terminals
        if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value.isalpha()
    }
    confs = {
        start: lark.parse_interactive("", start=start).parser_state.parse_conf
        for start in (_SEGMENT, _VALUE)
    }
    made = confs[_SEGMENT]  # both starts are in one table
    steps = {
        state: {
            kind: target if action is Shift else _reduction(target, made.callbacks[target])
            for kind, (action, target) in actions.items()
        }
        for state, actions in made.states.items()
    }
    ends = {start: (conf.start_state, conf.end_state) for start, conf in confs.items()}
    return Grammar(lark, keywords | dict.fromkeys(UNITS, "UNIT"), steps, ends)


def _reduction(rule: Rule, make: Callable[[list[Any]], Any]) -> Reduction:
    size = len(rule.expansion)
    hands_on = size == 1 and rule.alias is None and rule.options.expand1
    return Reduction(None if hands_on else make, size, rule.origin.name)


def parse(text: str, limits: Limits = DEFAULT) -> Segment:
    """
    Return the tree of a segment.

    Costs about 6 µs a token. Safe to call from several threads.

    Raises:
        UserError: SYNTAX, UNKNOWN_NAME (of a function), INVALID_VALUE or LIMIT_EXCEEDED, with the
            place.
    """
    return cast(Segment, _read(text, limits, _SEGMENT))


def parse_value(text: str, limits: Limits = DEFAULT) -> Value:
    """
    Return the tree of a value alone, such as `total_revenue / order_count`.

    Costs and errors are those of `parse`.
    """
    return cast(Value, _read(text, limits, _VALUE))


def parse_edited(text: str, operands: Operands, limits: Limits = DEFAULT) -> Segment:
    """
    Return what `parse` does, taking from *operands* what was parsed before, and adding the rest.

    Errors are those of `parse`, which is left to find them; then nothing is added.
    """
    _check_text(text, limits)
    parser = _Parser(text, limits, _SEGMENT, operands)
    try:
        node = parser.parse()
        _check_size(node, limits)
    except _ReadAgainError:
        return parse(text, limits)
    except SpanError as error:
        if parser.found:
            return parse(text, limits)
        raise error.within(text) from None
    for start, state, operand in parser.made:
        operands.keep(text, start, state, limits.depth, operand)
    return cast(Segment, node)


def _read(text: str, limits: Limits, rule: str) -> Segment | Value:
    """Return the tree of what *rule* describes."""
    _check_text(text, limits)
    try:
        node = _Parser(text, limits, rule).parse()
        _check_size(node, limits)
    except SpanError as error:
        raise error.within(text) from None
    return node


def _check_size(node: Segment | Value, limits: Limits) -> None:
    """Refuse a tree that is too deep or too large."""
    found = excess(node, limits)
    if found is not None:
        span = found.node.span
        assert span is not None
        raise SpanError(found.message, span.start, span.end, reason=Reason.LIMIT_EXCEEDED)


def _check_text(text: str, limits: Limits) -> None:
    """Refuse text that is too long, or no Unicode."""
    fault = text_fault(text)
    if fault is not None:
        raise UserError(Reason.SYNTAX, fault)
    size = len(text) if text.isascii() else len(text.encode())
    if size > limits.text_bytes:
        raise UserError(
            Reason.LIMIT_EXCEEDED,
            f"expected at most {limits.text_bytes:,} bytes of text, found {size:,}",
        )


class _ReadAgainError(Exception):
    """The text is wrong, and has to be read without what was known of it to say how."""


class _Parser:
    """
    Reads one text; `found` is how many of its operands were known.

    `made` are those that were read: where each begins, in which state, and what it became.
    """

    def __init__(
        self, text: str, limits: Limits, rule: str, operands: Operands | None = None
    ) -> None:
        self._text = text
        self._limits = limits
        self._rule = rule
        self._operands = operands
        _, self._keywords, self._steps, ends = grammar()
        start, self._end = ends[rule]
        self._states: list[State] = [start]
        self._parts: list[Any] = []  # one for each state but the first
        self._tokens: list[Token] = []
        self._open_parentheses: list[Token] = []
        self._begun: tuple[int, int] | None = None  # an operand: states below it, where it begins
        self.found = 0
        self.made: list[tuple[int, State, Operand]] = []

    def parse(self) -> Segment | Value:
        """
        Return the tree.

        Raises:
            SpanError: there is none.
        """
        text, states, parts, tokens = self._text, self._states, self._parts, self._tokens
        open_parentheses, keywords, steps = self._open_parentheses, self._keywords, self._steps
        source = scan(text) if self._operands is None else self._operand(0)
        while (token := next(source, None)) is not None:
            tokens.append(token)
            kind: str = token.type
            if kind == "WORD":
                kind = token.type = _word_type(token.value.lower(), keywords, steps[states[-1]])
            elif kind == "LPAR":
                open_parentheses.append(token)
                if len(open_parentheses) > self._limits.depth:
                    raise _too_deep(token, self._limits)
            elif kind == "RPAR" and open_parentheses:
                open_parentheses.pop()
            step = steps[states[-1]].get(kind)
            while isinstance(step, Reduction):
                if step.size > 1:
                    self._end_operand(token.start_pos or 0)
                _reduce(step, states, parts, steps)
                step = steps[states[-1]].get(kind)
            if step is None:
                raise self._failure()
            if kind in _JOINTS and self._operands is not None and not open_parentheses:
                self._end_operand(token.start_pos or 0)
                states.append(step)
                parts.append(token)
                if _OPERAND in steps[step]:
                    source = self._operand(token.end_pos or 0)
            else:
                states.append(step)
                parts.append(token)
        self._finish()
        node: Segment | Value = parts[-1]
        return node

    def _finish(self) -> None:
        """Reduce what was read to one part."""
        states, tokens, steps = self._states, self._tokens, self._steps
        last = tokens[-1].end_pos if tokens else 0
        tokens.append(Token("$END", "", last, end_pos=last))
        while states[-1] != self._end:
            step = steps[states[-1]].get("$END")
            if not isinstance(step, Reduction):
                raise self._failure()
            if step.size > 1:
                self._end_operand(len(self._text))
            _reduce(step, states, self._parts, steps)
        self._end_operand(len(self._text))

    def _operand(self, start: int) -> Iterator[Token]:
        """Begin an operand, or pass by one that is known; return the tokens from there on."""
        assert self._operands is not None
        states, text = self._states, self._text
        known = self._operands.find(text, start, states[-1], self._limits.depth)
        if known is None:
            self._begun = len(states), start
            return scan(text, start)
        self._begun = None
        self.found += 1
        states.append(known.state)
        self._parts.append(known.node)
        tokens = scan(text, start + known.size)
        follows = next(tokens, None)
        if follows is None:
            return tokens
        if follows.value.lower() not in ("and", "or"):
            raise self._failure()
        return chain((follows,), tokens)

    def _failure(self) -> SpanError:
        """Return the error for the last token; it takes all tokens to say what is wrong."""
        if self.found:
            raise _ReadAgainError
        return _failure(self._text, self._tokens, self._open_parentheses, self._rule)

    def _end_operand(self, end: int) -> None:
        """Note an operand that was begun, if it is one part now, and what is next is another's."""
        if self._begun is None or len(self._states) != self._begun[0] + 1:
            return
        (below, start), self._begun = self._begun, None
        node = self._parts[-1]
        if isinstance(node, Spanned):
            operand = Operand(node, self._states[-1], end - start)
            self.made.append((start, self._states[below - 1], operand))


def _too_deep(token: Token, limits: Limits) -> SpanError:
    return SpanError(
        too_deep(limits.depth),
        token.start_pos or 0,
        token.end_pos or 0,
        reason=Reason.LIMIT_EXCEEDED,
    )


def _reduce(
    rule: Reduction, states: list[State], parts: list[Any], steps: dict[State, dict[str, Step]]
) -> None:
    """Put what *rule* makes of the last parts in their place, and its state in that of theirs."""
    make, size, origin = rule
    if make is None:
        states.pop()
    else:
        at = len(parts) - size
        made = make(parts[at:])
        del parts[at:], states[at + 1 :]
        parts.append(made)
    after = steps[states[-1]][origin]
    assert not isinstance(after, Reduction)
    states.append(after)


def _word_type(word: str, keywords: dict[str, str], fits: Container[str]) -> str:
    """Return what a word is where *fits* can follow: a keyword if it is among them, else a name."""
    keyword = keywords.get(word)
    if keyword is not None and (keyword in fits or word in RESERVED):
        return keyword
    if "NAME" in fits or "NOUN" not in fits:
        return "NAME"
    return "NOUN"


def _failure(text: str, tokens: list[Token], open_parentheses: list[Token], rule: str) -> SpanError:
    """Return the error for the last of *tokens*, which the parser did not take."""
    tables, keywords, _, _ = grammar()
    parser = tables.parse_interactive("", start=rule)  # again, to the state before any reduction
    for token in tokens[:-1]:
        parser.feed_token(token)
    accepted = frozenset(parser.accepts())  # type: ignore[no-untyped-call]
    rest = _next(text, tokens[-1].end_pos or 0)
    return diagnose(Failure(text, tokens, accepted, keywords, open_parentheses, rest))


def _next(text: str, start: int) -> Token:
    """Return the token behind *start*; one of type $END if none can be read."""
    try:
        return next(scan(text, start))
    except (SpanError, StopIteration):
        return Token("$END", "", len(text), end_pos=len(text))
