"""Broken oracles that get missing values, strings, numbers or events wrong."""

from __future__ import annotations

import sys

import pytest

from support.broken import Cases, Mistake, broken_oracle, seen_after

SEED, COUNT = 14, 6000

MISTAKES: list[Mistake] = [
    # missing values
    ("!= does not match a missing value", "oracle",
     "        return equal == (op is CompareOp.EQ)",
     "        return equal == (op is CompareOp.EQ) and held is not None"),
    ("not between does not match a missing value", "oracle",
     "return (above and below) != negated",
     "return held is not None and (above and below) != negated"),
    ("not contains does not match a missing value", "oracle",
     "return text_matches(value(query, subject, operand), op, pattern) != negated",
     "held = value(query, subject, operand)\n"
     "            return held is not None and text_matches(held, op, pattern) != negated"),
    ("contains none does not match a missing value", "oracle_values",
     "return mode is tree.SetMode.NONE", "return False"),
    ("an empty string is a value", "oracle_values",
     'if raw is None or raw in ("", ()):', "if raw is None or raw == ():"),
    ("an empty set is a value", "oracle_values",
     'if raw is None or raw in ("", ()):', 'if raw is None or raw == "":'),
    ("zero is missing", "oracle_values",
     'if raw is None or raw in ("", ()):', 'if raw is None or raw in ("", (), 0.0):'),
    ("a missing operand counts as zero", "oracle_functions",
     "    if a is None or b is None:\n        return None\n    if isinstance(a, dt.date",
     "    a, b = a or 0, b or 0\n    if isinstance(a, dt.date"),
    ("division by zero is zero", "oracle_functions",
     "            if b == 0:\n                return None",
     "            if b == 0:\n                return 0"),
    # strings
    ("strings are compared as they are", "oracle_text",
     '    value = unicodedata.normalize("NFC", value)\n    if not', "    if not"),
    ("case always counts", "oracle_text", "    if not case_sensitive:", "    if False:"),
    ("case never counts", "oracle_text", "    if not case_sensitive:", "    if True:"),
    ("case is folded by lower", "oracle_text", "value.casefold()", "value.lower()"),
    ("accents never fold", "oracle_text",
     "return without_marks(value) if fold_accents else value", "return value"),
    ("ids are folded", "oracle_text",
     "    if is_id(field):  # always compared exactly\n        return value\n", ""),
    ("_ in like is a literal", "oracle_text", 'if first == "_":', "if False:"),
    ("like knows no escape", "oracle_text", 'if first == "\\\\" and rest:', "if False:"),
    ("like is found anywhere", "oracle_text",
     "            return like(wanted, held)", "            return like(f'%{wanted}%', held)"),
    ("matches is anchored", "oracle_text", ".search(value))", ".fullmatch(value))"),
    ("a stage is ordered as text", "oracle_values",
     "return ordered(op, place(a.value, a.field), place(b, a.field))",
     "return ordered(op, a.key, oracle_text.key(b, a.field))"),
    ("contains on a multi-valued field looks inside its values", "oracle_values",
     "return any(text.key == oracle_text.key(pattern, field_) for text in texts)",
     "return any(oracle_text.key(pattern, field_) in text.key for text in texts)"),
    ("contains all is contains any", "oracle_values",
     "            return all(has)", "            return any(has)"),
    # events
    ("an id counts once for all types", "oracle",
     "identity = (event.contact, event.type, event.id)", "identity = (event.contact, event.id)"),
    ("an id counts as often as it is given", "oracle",
     "if event.id is None or identity not in seen:", "if True:"),
    ("an id counts once for all contacts", "oracle",
     "identity = (event.contact, event.type, event.id)", "identity = (event.type, event.id)"),
    ("exactly is at least", "oracle", "return count == times.n", "return count >= times.n"),
    ("at most needs one", "oracle", "return count <= times.n", "return 1 <= count <= times.n"),
    ("between a and b times leaves out b", "oracle",
     "return times.n <= count <= times.high", "return times.n <= count < times.high"),
    ("the answer may come at the same time", "oracle",
     "first.time < time <= deadline", "first.time <= time <= deadline"),
    ("the answer must come before the deadline", "oracle",
     "first.time < time <= deadline", "first.time < time < deadline"),
    ("nobody answered though there is time left", "oracle",
     "and not answered and deadline <= query.as_of", "and not answered"),
    ("the answer must be in the window", "oracle",
     "matching(query, contact, node.then, None)",
     "matching(query, contact, node.then, node.window)"),
    ("regular periods are stepped one from the other's end", "oracle_time",
     "later = step(as_of, times(duration, index), -1, zone)",
     "later = step(earlier, duration, 1, zone)"),
    ("a group is its first type", "oracle",
     "for t in types for e in contact.events", "for t in types[:1] for e in contact.events"),
    ("where is ignored", "oracle", "if selector.where is None:", "if True:"),
    ("opting out ends membership", "oracle",
     "    held = typed(contact.fields.get(column), LIST_FIELD)\n",
     "    out = contact.fields.get('opted_out') or () if column == 'list' else ()\n"
     "    on = tuple(n for n in contact.fields.get(column) or () if n not in out)\n"
     "    held = typed(on, LIST_FIELD)\n"),
    ("a send is an activity", "oracle",
     "[type_ for type_ in declared if type_ not in sends]", "list(declared)"),
    ("the salt is not used", "oracle_values", "^ fnv1a64(salt)", "^ fnv1a64('')"),
    ("sum of nothing is missing", "oracle_functions",
     "    if op is tree.AggregateOp.SUM:\n", "    if op is tree.AggregateOp.SUM and held:\n"),
    ("distinct counts all", "oracle_functions",
     "return len({one.key if isinstance(one, Text) else one for one in held})", "return len(held)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> Cases:
    """Return the cases that every mistake is looked for in."""
    return Cases(SEED, COUNT)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_seen(mistake: Mistake, cases: Cases) -> None:
    """Random cases tell this broken oracle from the right one."""
    assert seen_after(broken_oracle(mistake), cases) is not None


def test_a_copy_without_a_mistake_is_not_seen() -> None:
    """The copy is the same oracle: what is seen is the mistake and not the copying."""
    copy = broken_oracle(("", "oracle", "def members(", "def members("))
    assert seen_after(copy, Cases(SEED, 500)) is None


if __name__ == "__main__":  # how many cases each mistake takes, most last
    known = Cases(SEED, COUNT)
    taken = {m[0]: seen_after(broken_oracle(m), known) for m in MISTAKES}
    for name, count in sorted(taken.items(), key=lambda item: item[1] or COUNT + 1):
        sys.stdout.write(f"{count} {name}\n")
