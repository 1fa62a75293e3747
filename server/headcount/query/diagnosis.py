"""
Why a token was refused: from the state of the parser to a message that says what to write.

`diagnose` tries the rules of `_RULES` in order: each knows one common mistake, and what to write
instead. When none knows it, the message is what was expected and what was found, with the keywords
nearest to a word that is none. Messages are reviewed in tests/query/golden/parse_errors.txt.
"""

from __future__ import annotations

from collections.abc import Callable

from lark import Token

from headcount.model.schema import nearest
from headcount.query.expectations import CONDITION, OPERATOR, UNIT, Failure, described, expected
from headcount.query.lexicon import RESERVED, UNITS, clipped
from headcount.query.scanner import SpanError

# Words that people write for an operator, and what it is called here.
_SYNONYMS = {
    "equals": "=", "equal": "=", "eq": "=", "has": "contains", "have": "contains",
    "includes": "contains", "include": "contains", "containing": "contains",
    "begins": "starts with", "beginning": "starts with", "startswith": "starts with",
    "endswith": "ends with", "exists": "is not empty", "isn": "is not", "doesn": "not contains",
    "does": "not contains", "aren": "is not", "greater": ">", "bigger": ">", "over": ">",
    "above": ">", "less": "<", "smaller": "<", "under": "<", "below": "<", "regex": "matches",
    "regexp": "matches", "rlike": "matches", "ilike": "like", "older": "more than 30 days ago",
    "newer": "less than 30 days ago",
}  # fmt: skip
_COMPARATIVES = {
    "greater": ">", "bigger": ">", "larger": ">", "higher": ">", "more": ">", "above": ">",
    "over": ">", "less": "<", "smaller": "<", "lower": "<", "fewer": "<", "below": "<",
    "under": "<", "equal": "=",
}  # fmt: skip
_PAST_WORDS = ("past", "previous", "preceding", "prior", "recent")
_WINDOW_WORDS = ("during", "over", "for", "within", "inside", "past")

# What compares a number of events behind `did`, where symbols do not stand.
_OFTEN = {
    ">": "more than", ">=": "at least", "<": "fewer than", "<=": "at most", "=": "exactly",
    "==": "exactly",
}  # fmt: skip

# The words of a keyword that starts an operator of several.
_PHRASES = {
    "starts": "starts with", "ends": "ends with", "opted": "opted out of list",
    "fewer": "fewer than", "more": "more than", "less": "less than",
}  # fmt: skip


def diagnose(failure: Failure) -> SpanError:
    """Return the error for the token that the parser did not take."""
    failure = failure.clipped()
    for rule in _RULES:
        error = rule(failure)
        if error is not None:
            return error
    return _plain(failure)


# --- parts of messages ------------------------------------------------------------------------


def _over(first: Token, last: Token, message: str, suggestions: tuple[str, ...] = ()) -> SpanError:
    return SpanError(message, first.start_pos or 0, last.end_pos or 0, suggestions=suggestions)


def _at(token: Token, message: str, suggestions: tuple[str, ...] = ()) -> SpanError:
    return _over(token, token, message, suggestions)


def _is_word(token: Token) -> bool:
    return token.type in ("NAME", "NOUN")


def _is_capital(token: Token) -> bool:
    return bool(token.value[:1].isupper())


def _is_operator(token: Token) -> bool:
    """Return whether *token* joins two values, so that what is before it is one."""
    operators = {"is", "in", "not", "contains", "between", "within", "starts", "ends", "like"}
    operators |= {"matches", "before", "after"}
    return token.type == "COMPARISON" or token.value.lower() in operators


def _complete(failure: Failure) -> bool:
    """Return whether a condition was complete before the token."""
    return {"AND", "OR"} <= failure.accepted


def _after_name(failure: Failure) -> bool:
    """Return whether a value was complete before the token, and nothing compared it yet."""
    return {"COMPARISON", "CONTAINS"} <= failure.accepted


def _close_keywords(failure: Failure, word: str) -> tuple[str, ...]:
    """Return the keywords near *word* that could stand in its place."""
    fitting = {
        _PHRASES.get(keyword, keyword)
        for keyword, terminal in failure.keywords.items()
        if terminal in failure.accepted
    }
    first_words = {phrase.partition(" ")[0]: phrase for phrase in sorted(fitting)}
    return tuple(first_words[close] for close in nearest(word, first_words, limit=1))


def _plain(failure: Failure) -> SpanError:
    """Say what was expected and what was found."""
    found = failure.found
    message = f"expected {expected(failure)}, found {described(found)}"
    suggestions: tuple[str, ...] = ()
    if _is_word(found):
        suggestions = _close_keywords(failure, found.value)
    elif {"NAME", "EMPTY"} <= failure.accepted and found.value.lower() in RESERVED:
        message += f' (as text: `"{found.value}"`)'
    return _at(found, message, suggestions)


# --- rules ------------------------------------------------------------------------------------


def _nothing(failure: Failure) -> SpanError | None:
    if failure.found.type != "$END" or len(failure.tokens) > 1:
        return None
    if "DID" not in failure.accepted:
        message = "expected a value, such as `total_spent / order_count`, found nothing"
        return _at(failure.found, message)
    return _at(failure.found, "expected a segment, found nothing; all contacts are `everyone`")


def _parentheses(failure: Failure) -> SpanError | None:
    found = failure.found
    if found.type == "$END" and "RPAR" in failure.accepted:
        return _at(failure.open_parentheses[-1], "this parenthesis is never closed; add `)`")
    closed = sum(token.type == "RPAR" for token in failure.tokens)
    opened = sum(token.type == "LPAR" for token in failure.tokens)
    if found.type == "RPAR" and closed > opened and _complete(failure):
        return _at(found, "this parenthesis closes nothing; remove it, or add `(`")
    return None


def _whole_query(failure: Failure) -> SpanError | None:
    first = failure.tokens[0]
    word = first.value.lower()
    if word == "select" and len(failure.tokens) <= 4:
        return _at(first, "expected only the condition; leave out `select ... where`")
    if word == "where" and failure.found is first:
        return _at(first, "expected only the condition; leave out `where`")
    return None


def _comma(failure: Failure) -> SpanError | None:
    found, before, rest = failure.found, failure.back(1), failure.rest
    if found.type != "COMMA":
        return None
    thousands = len(rest.value) == 3 and rest.start_pos == found.end_pos
    if before.type == rest.type == "NUMBER" and thousands:
        joined = f"{before.value}_{rest.value}"
        return _over(before, rest, f"a number is written without commas: `{joined}`")
    if _complete(failure):
        if failure.open_parentheses and _before(failure, failure.open_parentheses[-1]) == "BETWEEN":
            return _at(found, "expected `between 1 and 5`, without parentheses and comma")
        return _at(found, "conditions are joined by `and` or `or`, not by a comma")
    return None


def _before(failure: Failure, token: Token) -> str:
    """Return the type of the token before *token*."""
    starts = [other.start_pos for other in failure.tokens]
    position = starts.index(token.start_pos)
    return failure.tokens[position - 1].type if position else ""


def _joined_values(failure: Failure) -> SpanError | None:
    """`country in ("US" or "CA")`, `did purchase > 3 times`, `1 < x < 5`."""
    found = failure.found
    often = _OFTEN.get(found.value)
    if found.type == "COMPARISON" and often and "ONCE" in failure.accepted:
        n = failure.rest.value if failure.rest.type == "NUMBER" else "3"
        return _at(
            found,
            f"expected how often in words, such as `{often} {n} times`, found `{found.value}`",
        )
    if found.type in ("AND", "OR") and {"COMMA", "RPAR"} <= failure.accepted:
        return _at(found, f"values are separated by commas, not by `{found.value}`")
    if found.type == "COMPARISON" and _complete(failure) and not _after_name(failure):
        return _at(
            found,
            f"expected `and`, `or` or the end, found `{found.value}`; "
            "each comparison has two sides: `x > 1 and x < 5`, or `x between 1 and 5`",
        )
    return None


def _swallowed_noun(failure: Failure) -> SpanError | None:
    """`plan = Pro country = "US"`: `country` was taken for what `opened >= 5 emails` counts."""
    found, noun, value = failure.found, failure.back(1), failure.back(2)
    if noun.type != "NOUN" or not _complete(failure):
        return None
    word = noun.value.lower()
    if found.value.lower() == "ago":
        if value.type == "NUMBER":
            message = f"expected {UNIT}, found `{noun.value}`"
            return _at(noun, message, nearest(word, UNITS, limit=1))
        if word in UNITS:
            example = f"a number of {word}, such as `30 {word}`"
            return _at(value, f"expected {example}, found {described(value)}")
    joiner = nearest(word, ("and", "or"))
    if joiner and not (_is_capital(value) and _is_capital(noun)):  # `New York` holds no `or`
        return _at(noun, f"expected `and`, `or` or the end, found `{noun.value}`", joiner)
    if _is_operator(found):
        return _at(noun, f"expected `and` or `or` before `{noun.value}`")
    if value.type == "NAME" and _is_word(found):
        words = f"{value.value} {noun.value} {found.value}"
        return _over(value, found, f'text of more than one word needs quotes: `"{words}"`')
    return None


def _comparative(failure: Failure) -> SpanError | None:
    """`x is greater than 3`."""
    for n in (2, 3):
        word, verb = failure.back(n - 1), failure.back(n)
        symbol = _COMPARATIVES.get(word.value.lower())
        if verb.type == "IS" and symbol is not None:
            last = failure.back(1)
            found = clipped(failure.text[verb.start_pos : last.end_pos])
            message = f"expected `{symbol}`, found `{found}`"
            return _over(verb, last, message)
    return None


def _needless_is(failure: Failure) -> SpanError | None:
    """`plan is not in (...)`, `city is like "x%"`."""
    found, before = failure.found, failure.back(1)
    word = before if before.type == "NAME" else found
    verb = failure.back(2) if word is before else failure.back(1)
    negated = verb.type == "NOT"
    if negated:
        verb = failure.back(3) if word is before else failure.back(2)
    if verb.type != "IS" or not _is_operator(word) or word.type in ("COMPARISON", "NOT", "IS"):
        return None
    operator = _PHRASES.get(word.value.lower(), word.value.lower())
    instead = f"not {operator}" if negated else operator
    return _over(verb, word, f"expected `{instead}` without `is`")


def _two_words(failure: Failure) -> SpanError | None:
    """Text or a name of two words, without quotes or backticks."""
    found, before = failure.found, failure.back(1)
    if not _is_word(found) or before.type != "NAME":
        return None
    words = f"{before.value} {found.value}"
    if failure.back(2).type in ("COMPARISON", "IS", "LPAR", "COMMA") and not _after_name(failure):
        if _is_operator(failure.rest):
            return _at(found, f"expected `and` or `or` before `{found.value}`")
        return _over(before, found, f'text of more than one word needs quotes: `"{words}"`')
    if not _after_name(failure):
        return None
    if _close_keywords(failure, found.value) or found.value.lower() in _SYNONYMS:
        return None
    if _is_operator(failure.rest):
        message = f"a name of more than one word is written in backticks: `` `{words}` ``"
        return _over(before, found, message)
    return None


def _synonym(failure: Failure) -> SpanError | None:
    """`x equals 3`, `did open in the past 30 days`, `did open during the last week`."""
    found = failure.found
    word = found.value.lower()
    if failure.accepted == {"LAST"} and word in _PAST_WORDS:
        return _at(found, f"expected `last`, found `{found.value}`")
    if not _is_word(found) and found.type != "WITHIN":
        return None
    if "SINCE" in failure.accepted and word in _WINDOW_WORDS and word != "over":
        return _at(found, f"expected `in last 30 days`, `since` or the like, found `{found.value}`")
    if _after_name(failure) and word in _SYNONYMS:
        return _at(found, f"expected `{_SYNONYMS[word]}`, found `{found.value}`")
    return None


def _duration(failure: Failure) -> SpanError | None:
    """A duration without its number, its unit, its `in` or its `ago`."""
    found, before = failure.found, failure.back(1)
    word = found.value.lower()
    if found.type == "NUMBER" and before.type == "LAST" and failure.accepted == {"UNIT"}:
        return _over(before, found, f"expected `in last {found.value} days`; `in` is missing")
    if found.type == "NUMBER" and failure.accepted == {"LAST", "NEXT"}:
        instead = f"`within last {found.value} days` or `within next {found.value} days`"
        return _at(found, f"expected `last` or `next`: {instead}")
    if "NUMBER" in failure.accepted and before.type in ("LAST", "NEXT") and word in UNITS:
        return _at(found, f"expected a number, such as `{before.value} 1 {word}`, found `{word}`")
    if failure.accepted == {"AGO"}:
        return _over(
            found, found, f"expected `ago`, as in `more than 30 days ago`, found {described(found)}"
        )
    if word == "ago":
        return _at(found, "expected a duration before `ago`, such as `30 days ago`")
    if failure.accepted == {"UNIT"} and _is_word(found):
        message = f"expected {UNIT}, found `{found.value}`"
        return _at(found, message, nearest(word, UNITS, limit=1))
    return None


def _times(failure: Failure) -> SpanError | None:
    found = failure.found
    numbers = {"once": 1, "twice": 2}
    word = found.value.lower()
    if word in numbers and "NUMBER" in failure.accepted:
        return _at(found, f"expected a number: `{numbers[word]} times`, found `{found.value}`")
    return None


def _membership(failure: Failure) -> SpanError | None:
    """`plan in "Pro"`, `x in list "a"`, `in list ("x")`."""
    found, before = failure.found, failure.back(1)
    if before.type == "IN" and "LPAR" in failure.accepted:
        word = found.value.lower()
        if word in ("list", "segment", "any"):
            return _at(found, f"`in {word}` asks about the contact; leave out what is before `in`")
        if found.type in ("STRING", "NUMBER", "DATE") or _is_word(found):
            return _at(
                found, f"expected values in parentheses: `in ({found.value})`; for one, `=` will do"
            )
    if before.type == "LIST" and found.type == "LPAR":
        return _at(found, "several lists are written `in any list (...)`")
    return None


def _quotes(failure: Failure) -> SpanError | None:
    """A word where text in quotes is wanted, or text where a name is."""
    found = failure.found
    if "STRING" in failure.accepted and "NUMBER" not in failure.accepted:
        if found.type in ("NAME", "NUMBER", "DATE"):
            return _at(found, f'expected {expected(failure)}: `"{found.value}"`')
        if found.type in ("PERCENT", "STAR", "SLASH"):
            return _at(found, f"expected {expected(failure)}, found `{found.value}`")
    if found.type == "STRING" and "QUOTED" in failure.accepted:
        message = f"expected {expected(failure)} without quotes (backticks if need be)"
        return _at(found, f"{message}, found {described(found)}")
    return None


def _misplaced_not(failure: Failure) -> SpanError | None:
    found, before = failure.found, failure.back(1)
    if before.type == "NOT" and found.type == "COMPARISON":
        return _over(before, found, "expected `!=`, or `not` in front of the whole condition")
    if found.type == "NOT" and before.type == "COMPARISON":
        if before.value in ("=", "=="):
            return _over(before, found, f"expected `!=`, found `{before.value} {found.value}`")
        return _at(found, "`not` goes in front of the whole condition")
    return None


def _null(failure: Failure) -> SpanError | None:
    found = failure.found
    if found.type not in ("NULL", "EMPTY") or "NAME" not in failure.accepted:
        return None
    return _at(
        found,
        f"`{found.value}` is not a value; missing values are found by `x is empty`, others by "
        "`x is not empty`",
    )


def _percent(failure: Failure) -> SpanError | None:
    if failure.found.type != "PERCENT" or "STRING" in failure.accepted:
        return None
    if failure.back(1).type == "NUMBER":
        return _at(failure.found, "a number is written without `%`; only `sample 10%` has one")
    return _at(failure.found, "expected an operator; there is none for the remainder")


def _event_words(failure: Failure) -> SpanError | None:
    """`never opened`, `x = 1 where y = 2`, `then click`."""
    found, before = failure.found, failure.back(1)
    if failure.accepted == {"DID"} and _is_word(found):
        return _over(
            before, found, f"expected `{before.value} did {found.value}`; `did` is missing"
        )
    if found.type == "WHERE" and _complete(failure):
        return _at(found, "`where (...)` goes right behind an event; here it is `and` or `or`")
    return None


def _start(failure: Failure) -> SpanError | None:
    """An operator or a window with nothing before it."""
    found, first = failure.found, failure.tokens[0]
    if first.value.lower() in ("since", "last", "this", "in") and len(failure.tokens) <= 3:
        behind = failure.tokens[1].value.lower() if len(failure.tokens) > 1 else ""
        if first.type == "NAME" or behind in ("last", "the", "next"):
            return _at(first, "a window goes behind an event, such as `did open in last 30 days`")
    if "DID" in failure.accepted and _is_operator(found) and found.type not in ("IN", "NOT"):
        return _at(found, f"expected {CONDITION}, found `{found.value}` with no field before it")
    return None


def _operator(failure: Failure) -> SpanError | None:
    """Anything but an operator behind a value."""
    if not _after_name(failure) or failure.found.type == "$END":
        return None
    found = failure.found
    suggestions = _close_keywords(failure, found.value) if _is_word(found) else ()
    wanted = f"{OPERATOR}, `,` or `)`" if "COMMA" in failure.accepted else OPERATOR
    return _at(found, f"expected {wanted}, found {described(found)}", suggestions)


_RULES: tuple[Callable[[Failure], SpanError | None], ...] = (
    _nothing,
    _parentheses,
    _whole_query,
    _start,
    _comma,
    _swallowed_noun,
    _joined_values,
    _comparative,
    _needless_is,
    _two_words,
    _synonym,
    _duration,
    _times,
    _membership,
    _quotes,
    _misplaced_not,
    _null,
    _percent,
    _event_words,
    _operator,
)
