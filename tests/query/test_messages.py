"""
Every message of the language is reviewed: what is refused, with what words, is in golden files.

    parse_errors.txt, bind_errors.txt     texts (see test_parse_errors.py and test_bind.py)
    json_errors.txt, message_errors.txt   documents, and messages in protobuf's text form
    answer_errors.txt                     what is asked around a count, calculated fields, saved
                                          segments, limits, and trees that no form can hold

`test_every_refusal_is_reviewed` reads the source for the places that make an error, and runs all of
these to see which of them are passed. HEADCOUNT_REWRITE=1 in the environment writes the files anew.
"""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.protobuf import text_format

import headcount.query.engine
from headcount.model.errors import UserError
from headcount.model.schema import EventType, Field, FieldType
from headcount.query import breakdown as breakdown_module
from headcount.query import tree
from headcount.query.bind import bind, check_schema
from headcount.query.breakdown import breakdown
from headcount.query.chosen import chosen
from headcount.query.clock import to_micros
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.explain_contact import explain_contact
from headcount.query.histogram import Calendar, Edges, EqualWidth, Layout, histogram
from headcount.query.json_form import from_json
from headcount.query.limits import Limits
from headcount.query.overlap import overlap
from headcount.query.parse import parse
from headcount.query.proto import from_proto, to_proto
from headcount.query.tree import Duration, Unit
from headcount.v1 import segment_pb2
from support.engines import context_at, view_of
from support.golden import assert_as_reviewed, blocks
from support.named import Shelf
from support.shop import AS_OF, SCHEMA, SHOP

GOLDEN = Path(__file__).parent / "golden"
QUERY = Path(headcount.query.engine.__file__).parent
CONTEXT = context_at(AS_OF, "Europe/Berlin")
ENGINE = Engine(view_of(SHOP))


def said(ask: Callable[[], object]) -> str:
    """Return what is said when *ask* is called."""
    try:
        ask()
    except UserError as error:
        lines = f"{error.reason}: {error}".split("\n")
        return "\n".join(line.rstrip() for line in lines if line.strip())
    return "accepted"


def of_text(text: str) -> str:
    """Return what is said of a text that is read, then bound."""
    return said(lambda: bind(parse(text), ENGINE.view, CONTEXT, text))


def of_json(document: str) -> str:
    """Return what is said of JSON that is read, then bound."""
    return said(lambda: bind(from_json(document), ENGINE.view, CONTEXT))


def of_message(message: str) -> str:
    """Return what is said of a message that is read, then bound."""
    found = text_format.Parse(message, segment_pb2.Segment())
    return said(lambda: bind(from_proto(found), ENGINE.view, CONTEXT))


def of_answer(question: str) -> str:
    """Return what is said of a question: what is asked, a colon, what about."""
    kind, _, rest = question.partition(": ")
    parts = [part.strip() for part in rest.split(" | ")]
    return said(lambda: ASKED[kind](*parts))


# --- what is asked ----------------------------------------------------------------------------


def ask_breakdown(by: str, segment: str) -> None:
    by = "" if by == "(nothing)" else by
    if segment == "too many values":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(breakdown_module, "MOST_DISTINCT", 2)
            breakdown(ENGINE, "everyone", by, CONTEXT)
    breakdown(ENGINE, segment, by, CONTEXT)


def ask_histogram(by: str, segment: str, layout: str) -> None:
    kind, *ends = layout.split()
    laid: Layout
    if kind == "equal":
        laid = EqualWidth(int(ends[0]))
    elif kind == "between":
        laid = EqualWidth(5, float(ends[0]), float(ends[1]))
    elif kind == "edges":
        laid = Edges(tuple(float(end) if end.isdigit() else end for end in ends))  # type: ignore[arg-type]
    else:
        laid = Calendar(Unit(kind.removesuffix("s")))
    histogram(ENGINE, segment, by, CONTEXT, laid)


def ask_several(*queries: str) -> None:
    overlap(ENGINE, queries, CONTEXT)


def ask_at(year: str, segment: str) -> None:
    at = dt.datetime(int(year), 12 if year == "9999" else 1, 31, tzinfo=dt.UTC)
    ENGINE.count(segment, QueryContext(to_micros(at), ZoneInfo("UTC")))


def ask_schema(*definitions: str) -> None:
    found = dict(text.split(" = ", 1) for text in definitions)
    if found == {"large": "doubled"}:
        found = {"a0": "spent + spent"}
        found |= {f"a{n}": f"a{n - 1} + a{n - 1}" for n in range(1, 20)}
    check_schema(dataclasses.replace(SCHEMA, calculated=found))


def ask_saved(*texts: str) -> None:
    *definitions, query = texts
    found = [text.split(" = ", 1) for text in definitions if " = " in text]
    if definitions == ["large"]:
        found = [["a0", " or ".join(["spent = 1"] * 500)]]
        found += [[f"a{n}", f'in segment "a{n - 1}" or spent = 1'] for n in range(1, 10)]
        found += [["a9", 'in segment "a1" or in segment "a2" or in segment "a3"']]
    shelf = Shelf({name: parse(text) for name, text in found})
    Engine(view_of(SHOP), saved=shelf).count(query, CONTEXT)


EVENT = tree.EventSelector("purchase")
TREES: dict[str, tree.Segment] = {
    "sample of 101 %": tree.Sample(101.0),
    "count inside where": tree.Did(
        tree.EventSelector(
            "purchase",
            tree.Compare(
                tree.EventValue(tree.EventPick.COUNT, EVENT), tree.CompareOp.EQ, tree.Number(1.0)
            ),
        )
    ),
    "everyone inside where": tree.Did(tree.EventSelector("purchase", tree.Everyone())),
    "a function that is none": tree.IsEmpty(tree.Call("lenght", (tree.Name("city"),))),
    "a step of 2000 years": tree.Sequence(EVENT, EVENT, Duration(2000, Unit.YEAR)),
    "a window that differs": tree.Did(
        EVENT, window=tree.EdgeWindow(tree.Edge.SINCE, tree.Name("signed_up"))
    ),
    "a window that is no time": tree.Did(
        EVENT, window=tree.EdgeWindow(tree.Edge.SINCE, tree.Number(1.0))
    ),
    "a window of a duration": tree.Did(
        EVENT,
        window=tree.EdgeWindow(tree.Edge.SINCE, tree.DurationValue(Duration(30, Unit.DAY))),
    ),
    "an order of text": tree.Compare(
        tree.Name("country"), tree.CompareOp.LT, tree.Name("city", quoted=True)
    ),
    "a stage beside a text": tree.Compare(
        tree.Name("stage"), tree.CompareOp.LT, tree.Name("country", quoted=True)
    ),
}


def ask_tree(name: str) -> None:
    if name == "too deep":
        segment: tree.Segment = tree.Everyone()
        for _ in range(65):
            segment = tree.Not(segment)
        ENGINE.count(segment, CONTEXT)
    ENGINE.count(TREES[name], CONTEXT)


def ask_properties(text: str) -> None:
    events = {
        name: EventType(name, (), (Field("value", type_),))
        for name, type_ in (("a", FieldType.NUMBER), ("b", FieldType.KEYWORD))
    }
    schema = dataclasses.replace(SCHEMA, events=events, groups={"mixed": ("a", "b")})
    world = dataclasses.replace(SHOP, schema=schema, events=[])
    Engine(view_of(world)).count(text, CONTEXT)


def ask_limited(setting: str, form: str, text: str) -> None:
    name, value = setting.split("=")
    limits = Limits(**{name: int(value)})
    if form == "text":
        parse(text, limits)
    elif form == "json":
        from_json(text, limits)
    else:
        from_proto(to_proto(parse(text)), limits)


def read_newer(text: str) -> None:
    message = to_proto(parse(text))
    message.MergeFromString(bytes([0xF8, 0x07, 0x01]))  # field 127 = 1
    from_proto(message)


def set_limit(setting: str) -> None:
    name, value = setting.split()
    Limits(**{name: int(value)})


ASKED: dict[str, Callable[..., Any]] = {
    "breakdown": ask_breakdown,
    "histogram": ask_histogram,
    "contact": lambda id_, segment: explain_contact(ENGINE, segment, id_, CONTEXT),
    "overlap": lambda many: ask_several(*["everyone"] * int(many)),
    "several": ask_several,
    "year": ask_at,
    "limit": set_limit,
    "schema": ask_schema,
    "saved": ask_saved,
    "tree": ask_tree,
    "properties": ask_properties,
    "fields": lambda *names: chosen(ENGINE, names, CONTEXT),
    "limited": ask_limited,
    "newer": read_newer,
    "escaped": lambda text: parse(text.encode().decode("unicode_escape")),
    "json": lambda text: from_json(text.encode().decode("unicode_escape")),
    "long json": lambda text: from_json('{"list": "' + "x" * 200 + text),
}

FILES: dict[str, Callable[[str], str]] = {
    "json_errors.txt": of_json,
    "message_errors.txt": of_message,
    "answer_errors.txt": of_answer,
}


@pytest.mark.parametrize("name", FILES)
def test_messages_read_as_reviewed(name: str) -> None:
    """180: every refusal says what was expected, what was found, and where."""
    assert_as_reviewed(GOLDEN / name, FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_every_question_is_refused(name: str) -> None:
    """None of them is accepted by accident."""
    accepted = [question for question, answer in blocks(GOLDEN / name) if answer == "accepted"]
    assert accepted == []


# --- none is left out -------------------------------------------------------------------------

# Functions and classes that make an error, as they are called.
MAKERS = {
    "UserError", "SpanError", "ExpansionError", "refuse", "at", "_at", "_over", "misplaced",
    "_invalid", "mismatch", "invalid", "unknown", "_refusal", "error",
}  # fmt: skip
# What is refused elsewhere, in a test that is named.
ELSEWHERE = {
    ("json_values.py", "expected keys that are text"): "test_json_form: no JSON has other keys",
    ("json_values.py", "expected a number up to"): "test_json_form: only Python has such numbers",
}


def refusals(path: Path) -> Iterator[tuple[range, str]]:
    """Yield the lines of each place that makes an error with a message of its own, and its text."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.id if isinstance(called, ast.Name) else ""
        if isinstance(called, ast.Attribute) and called.attr in ("mismatch", "invalid", "unknown"):
            name = called.attr
        if isinstance(called, ast.Attribute) and ast.unparse(called).endswith("refusals.error"):
            name = "error"
        text = ast.unparse(node)
        if name in MAKERS and "error.message" not in text and node.args:
            assert node.end_lineno is not None
            yield range(node.lineno, node.end_lineno + 1), text


def lines_passed(work: Callable[[], None]) -> set[tuple[str, int]]:
    """Return the lines of the language's modules that *work* passes: file and number."""
    passed: set[tuple[str, int]] = set()
    ours: dict[CodeType, bool] = {}

    def local(frame: FrameType, event: str, argument: Any) -> Any:
        del event, argument
        passed.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        del event, argument
        code = frame.f_code
        if code not in ours:
            ours[code] = Path(code.co_filename).parent == QUERY
        return local if ours[code] else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return passed


def ask_all() -> None:
    """Ask everything that is in a golden file of errors."""
    for name in ("parse_errors.txt", "bind_errors.txt"):
        for question, _ in blocks(GOLDEN / name):
            of_text(question)
    for name, answer in FILES.items():
        for question, _ in blocks(GOLDEN / name):
            answer(question)


def test_every_refusal_is_reviewed() -> None:
    """Each place in the source that makes an error is passed by a question of a golden file."""
    passed = lines_passed(ask_all)
    left = [
        f"{path.name}:{lines.start} {text[:120]}"
        for path in sorted(QUERY.glob("*.py"))
        for lines, text in refusals(path)
        if not any((str(path), line) in passed for line in lines)
        and not any(file == path.name and part in text for file, part in ELSEWHERE)
    ]
    assert left == []
