r"""
A pattern: `contains`, `starts with`, `ends with`, `like`, `matches`, tried on many strings at once.

The first four look at keys (see `fold`); the literal is brought to key form once. `matches` looks
at the value in NFC, because folding would change what `[A-Z]` means. `like` becomes an RE2
expression in which `%` is `.*`, `_` is `.` and `\` takes the next character as it is.

Expressions run in RE2, in time linear in the string whatever the pattern is. google-re2 says
whether one is valid; Arrow's copy of RE2 runs it on arrays, 1M e-mails in 150 ms (one by one from
Python: 2 s). Python's `re` can take exponential time and is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2

from headcount.index.bitmaps import Mask
from headcount.model import fold
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field

OPS = ("contains", "starts with", "ends with", "like", "matches")

_ANY, _ONE = "%", "_"


@dataclass(frozen=True)
class Pattern:
    """
    One operator of `OPS` with its literal, for a field with these settings.

    With `exact` (the built-in `id`) neither side is normalised or folded.

    Raises:
        UserError: *literal* is no valid RE2 expression (`matches` only).
    """

    op: str
    literal: str
    case_sensitive: bool = False
    fold_accents: bool = False
    exact: bool = False

    @classmethod
    def of(cls, op: str, literal: str, field: Field) -> Pattern:
        """Return the pattern that compares as *field* does."""
        return cls(op, literal, field.case_sensitive, field.fold_accents, fold.is_exact(field))

    def __post_init__(self) -> None:
        """Refuse an expression that RE2 cannot compile."""
        assert self.op in OPS, self.op
        if self.op != "matches":
            return
        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(self.wanted, options)
            self.test(_NOTHING, _NOTHING)
        except (re2.error, pa.ArrowInvalid) as error:
            raise UserError(
                Reason.INVALID_VALUE,
                "`matches` expects a regular expression in RE2 syntax; "
                f"`{self.literal}` is none: {_reason(error)}",
            ) from error

    @cached_property
    def wanted(self) -> str:
        """The literal in the form that strings are compared in."""
        if self.exact:
            return self.literal
        if self.op == "matches":
            return fold.normal(self.literal, self.fold_accents)
        return self._key(self.literal)

    @cached_property
    def required(self) -> str | None:
        """
        The longest string found that the key of every match contains; None if there is none.

        It does not say what a match is, only which strings can be passed over.
        """
        if self.op == "matches":
            pieces = fixed_pieces(self.wanted, ascii_only=self.fold_accents)
            pieces = [piece if self.exact else self._key(piece) for piece in pieces]
        elif self.op == "like":
            pieces = [text for text, fixed in _like_tokens(self.wanted) if fixed]
        else:
            pieces = [self.wanted]
        return max(pieces, key=len, default="") or None

    def test(self, values: pa.StringArray, keys: pa.StringArray) -> Mask:
        """Return which of *values*, with keys *keys*, match: a fresh bool[n], false for null."""
        if self.op == "matches":
            if not self.exact:
                values = fold.normals(values, self.fold_accents)
            ignore_case = not self.case_sensitive and not self.exact
            found = pc.match_substring_regex(values, self.wanted, ignore_case=ignore_case)
        else:
            found = self._test_keys(keys)
        mask: npt.NDArray[np.bool_] = found.fill_null(False).to_numpy(zero_copy_only=False)
        return mask

    def _test_keys(self, keys: pa.StringArray) -> pa.BooleanArray:
        """Return which of *keys* match; null for null."""
        op, wanted = (self.op, self.wanted) if self.op != "like" else self._like
        if op == "contains":
            return pc.match_substring(keys, wanted)
        if op == "starts with":
            return pc.starts_with(keys, wanted)
        if op == "ends with":
            return pc.ends_with(keys, wanted)
        return pc.match_substring_regex(keys, wanted)

    @cached_property
    def _like(self) -> tuple[str, str]:
        """The simpler operator and literal of a `like`; else "like" and its RE2 expression."""
        tokens = _like_tokens(self.wanted)
        kinds = ["literal" if fixed else text for text, fixed in tokens]
        if kinds == [_ANY]:
            return "contains", ""
        if kinds == [_ANY, "literal", _ANY]:
            return "contains", tokens[1][0]
        if kinds == ["literal", _ANY]:
            return "starts with", tokens[0][0]
        if kinds == [_ANY, "literal"]:
            return "ends with", tokens[1][0]
        expression = {_ANY: ".*", _ONE: "."}
        inner = (re2.escape(text) if fixed else expression[text] for text, fixed in tokens)
        return "like", r"\A(?s:" + "".join(inner) + r")\z"

    def _key(self, text: str) -> str:
        return fold.key(text, case_sensitive=self.case_sensitive, fold_accents=self.fold_accents)


def fixed_pieces(expression: str, ascii_only: bool = False) -> list[str]:
    r"""
    Return strings that every match of a valid RE2 *expression* contains, in case or another.

    Cautious: groups, classes and escapes other than of punctuation stand for nothing fixed, and an
    alternative, flags or a construct not known here make the answer empty. With *ascii_only* other
    characters stand for nothing fixed: what is left of them when marks are dropped may differ.
    """
    pieces = [""]
    depth = at = 0
    while at < len(expression):
        char = expression[at]
        at += 1
        if char == "\\":
            char = expression[at]
            at += 1
            if char in "QEpPxC" or char.isdigit():
                return []
            if char.isalnum():
                pieces.append("")
                continue
        elif char == "[":
            at = _class_end(expression, at)
            pieces.append("")
            continue
        elif char == "(":
            if expression.startswith("?", at):
                return []
            depth += 1
            pieces.append("")
            continue
        elif char == ")":
            depth -= 1
            pieces.append("")
            continue
        elif char == "|":
            if depth == 0:
                return []
            continue
        elif char in "*?{":
            # What was before it may be there no time at all; its count, if any, is no text.
            pieces[-1] = pieces[-1][:-1]
            pieces.append("")
            at = expression.find("}", at) + 1 if char == "{" else at
            if at == 0:
                return []
            continue
        elif char in "+.^$":
            pieces.append("")
            continue
        if depth or (ascii_only and not char.isascii()):
            pieces.append("")
        else:
            pieces[-1] += char
    return pieces


def _class_end(expression: str, at: int) -> int:
    """Return the place behind the character class that was opened just before *at*."""
    at += expression.startswith("^", at)
    at += expression.startswith("]", at)
    while expression[at] != "]":
        if expression[at] == "\\":
            at += 1
        elif expression.startswith("[:", at) and ":]" in expression[at:]:
            at = expression.index(":]", at) + 1
        at += 1
    return at + 1


def _like_tokens(wanted: str) -> list[tuple[str, bool]]:
    """Return the pieces of a `like` pattern: (text, True), or (`%` or `_`, False)."""
    tokens: list[tuple[str, bool]] = []
    at = 0
    while at < len(wanted):
        char = wanted[at]
        fixed = char not in (_ANY, _ONE)
        if char == "\\" and at + 1 < len(wanted):
            at += 1
            char = wanted[at]
        if fixed and tokens and tokens[-1][1]:
            tokens[-1] = (tokens[-1][0] + char, True)
        elif fixed or char == _ONE or not tokens or tokens[-1] != (_ANY, False):
            tokens.append((char, fixed))
        at += 1
    return tokens


def _reason(error: Exception) -> str:
    """Return RE2's own words, which Python's binding gives as bytes."""
    said = error.args[0]
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


_NOTHING = pa.array([], pa.string())
