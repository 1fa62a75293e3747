"""
The rules about strings of docs/language.md (sections 4 and 8), one function a rule.

A string is compared in its key form. A literal is brought to the key form of the field beside it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import re2

from headcount.model.schema import Field
from headcount.query.tree import TextOp
from support.oracle_time import RefusedError


def is_id(field: Field) -> bool:
    """Return whether it is the built-in `id`, and not a property that has the same name."""
    return field.builtin and field.name == "id"


def key(value: str, field: Field) -> str:
    """Section 8, Strings: return the form in which *value* is compared in *field*."""
    if is_id(field):  # always compared exactly
        return value
    return _key(value, field.case_sensitive, field.fold_accents)


@lru_cache(maxsize=65536)
def _key(value: str, case_sensitive: bool, fold_accents: bool) -> str:
    """NFC; then case-folded unless the case counts; then without marks if accents are folded."""
    value = unicodedata.normalize("NFC", value)
    if not case_sensitive:
        value = value.casefold()
    return without_marks(value) if fold_accents else value


def without_marks(value: str) -> str:
    """Section 8, Strings: NFD, combining marks (general category M) dropped, NFC again."""
    decomposed = unicodedata.normalize("NFD", value)
    kept = (c for c in decomposed if not unicodedata.category(c).startswith("M"))
    return unicodedata.normalize("NFC", "".join(kept))


def matches(op: TextOp, value: str, pattern: str, field: Field) -> bool:
    """Section 1 and 8, Strings: return whether *value*, held by *field*, fits *pattern*."""
    if op is TextOp.MATCHES:
        return regex_found(pattern, value, field)
    held, wanted = key(value, field), key(pattern, field)
    match op:
        case TextOp.CONTAINS:
            return wanted in held
        case TextOp.STARTS_WITH:
            return held.startswith(wanted)
        case TextOp.ENDS_WITH:
            return held.endswith(wanted)
        case TextOp.LIKE:
            return like(wanted, held)


def like(pattern: str, text: str) -> bool:
    r"""
    Sections 4 and 8: `%` is any run, `_` one code point, `\` takes the next one as it is.

    The pattern must fit the whole text. Backtracks, which is fine for short strings.
    """
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "%":
        return like(rest, text) or (bool(text) and like(pattern, text[1:]))
    if first == "_":
        return bool(text) and like(rest, text[1:])
    if first == "\\" and rest:
        first, rest = rest[0], rest[1:]
    return text[:1] == first and like(rest, text[1:])


def regex_found(pattern: str, value: str, field: Field) -> bool:
    """
    Section 8, Strings: RE2 on the value in NFC, accents dropped where the field folds them.

    Case is ignored unless the field is case-sensitive; `id` is taken as it is. The pattern is
    brought to the same form, as any literal is.
    """
    if not is_id(field):
        pattern = unicodedata.normalize("NFC", pattern)
        value = unicodedata.normalize("NFC", value)
        if field.fold_accents:
            pattern, value = without_marks(pattern), without_marks(value)
    return bool(_compiled(pattern, field.case_sensitive).search(value))


@lru_cache(maxsize=4096)
def _compiled(pattern: str, case_sensitive: bool) -> re2._Regexp:
    """Return the compiled pattern; section 4: a bad one is an error."""
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise RefusedError(f"bad pattern {pattern!r}") from error
