"""Whoever sends them, the same records are the same changes, and the same are refused."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.ingest.given import contact_of, event_of
from headcount.ingest.ndjson import record_of, record_of_line
from headcount.ingest.records import Record
from headcount.ingest.requests import RequestReader
from headcount.live.commit import Batch
from headcount.model.changes import (
    ContactStep,
    DeleteStep,
    EventStep,
    MergeStep,
    Refusal,
    SuppressStep,
)
from headcount.model.errors import Reason, UserError
from headcount.rpc import convert_writes
from headcount.v1 import common_pb2, contacts_pb2, events_pb2
from support.writing import NOW, SCHEMA, mutation, plain, value


def batch(records: list[Record]) -> Batch:
    """Return what records change."""
    return RequestReader(SCHEMA).batch(records, NOW, "r1")


def from_json(mutations: list[dict[str, Any]]) -> Batch:
    """Return what the lines of a file change."""
    return batch([record_of_line(json.dumps(each)) for each in mutations])


def from_proto(mutations: list[dict[str, Any]]) -> Batch:
    """Return what messages that say the same change, sent over the wire."""
    request = contacts_pb2.ContactsWriteRequest(mutations=map(message, mutations))
    read = contacts_pb2.ContactsWriteRequest.FromString(request.SerializeToString())
    return batch([convert_writes.mutation(each) for each in read.mutations])


def message(found: dict[str, Any]) -> contacts_pb2.Mutation:
    """Return the message that says what a JSON object does."""
    made = contacts_pb2.Mutation()
    match found["op"]:
        case "upsert" | "patch":
            change = made.upsert if found["op"] == "upsert" else made.patch
            change.id = found["id"]
            for name, held in found["fields"].items():
                say(change.fields[name], held)
            change.add_labels.extend(found.get("add_labels", ()))
            change.remove_labels.extend(found.get("remove_labels", ()))
            for each in found.get("lists", ()):
                action = contacts_pb2.ListAction.Value(f"LIST_ACTION_{each['action'].upper()}") if (
                    each["action"] != "juggle") else 77  # fmt: skip
                one = change.lists.add(list=each["list"], action=action)
                if "time" in each:
                    one.time.FromJsonString(each["time"])
        case "record":
            event = made.record.event
            event.contact, event.type, event.id = found["contact"], found["type"], found["id"]
            if found["time"] is not None:
                event.time.FromJsonString(found["time"])
            for name, held in found["properties"].items():
                say(event.properties[name], held)
            made.record.create_contact = found["create_contact"]
        case "delete":
            made.delete.id, made.delete.erase = found["id"], found["erase"]
        case "merge":
            made.merge.source, made.merge.target = found["source"], found["target"]
        case op:
            setattr(made, op, found["id"])
    return made


def say(field: common_pb2.FieldValue, held: Any) -> None:
    """Set a value of the kind that it has in JSON."""
    if isinstance(held, bool):
        field.boolean = held
    elif isinstance(held, (int, float)):
        field.number = held
    elif isinstance(held, list):
        field.list.values.extend(held)
    elif held is not None:
        field.string = held


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**64), st.sampled_from([1, 3, 10, 60]))
def test_messages_and_lines_are_the_same(seed: int, size: int) -> None:
    """Mutations as protobuf and as NDJSON become equal changes and equal refusals."""
    dice = random.Random(seed)
    mutations = [mutation(dice) for _ in range(size)]
    lines, messages = from_json(mutations), from_proto(mutations)
    assert plain(lines.changes) == plain(messages.changes)
    assert lines.refused == messages.refused


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**64), st.sampled_from([0, 1, 3, 10, 60]), st.booleans())
def test_events_by_column_are_their_records(seed: int, size: int, timed: bool) -> None:
    """A request of events alone becomes the same changes and refusals without a record each."""
    dice = random.Random(seed)
    request = events_pb2.RecordRequest()
    while len(request.events) < size:
        found = mutation(dice)
        if found["op"] == "record":
            event = message(found).record.event
            if timed and not event.HasField("time"):
                event.time.seconds = dice.choice((0, -1, 1_700_000_000, 10**15))
                event.time.nanos = dice.choice((0, 0, 1000, 999_999_000, 1, -1))
            request.events.append(event)
    read = events_pb2.RecordRequest.FromString(request.SerializeToString())
    creates = dice.random() < 0.5
    records = [convert_writes.event(each, creates=creates) for each in read.events]
    columns = convert_writes.events(read.events, creates=creates)
    one, other = batch(list(records)), RequestReader(SCHEMA).recorded(columns, "r1")
    assert plain(one.changes) == plain(other.changes)
    assert one.refused == other.refused


TIMES = (
    None,
    dt.datetime(2026, 5, 9, 12, 0, 0, 250_000, tzinfo=dt.UTC),
    dt.datetime(2026, 5, 9, 12, 0, 0, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
    dt.datetime(1, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=3))),
    "2026-05-09T12:00:00Z",
    1_700_000_000,
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**64))
def test_plain_contacts_are_put_into_a_request_as_all_are(seed: int) -> None:
    """Whatever the id, the names and the values, the short way gives what the long one does."""
    dice = random.Random(seed)
    contact: dict[str, object] = {"id": dice.choice(("c1", "ü", "", 12, None))}
    if dice.random() < 0.8:
        values = (None, "x", "é", "\ud800", 1.5, 7, 2**70, True, [], {})
        names = ("a", "", "É")
        contact["fields"] = {dice.choice(names): dice.choice(values) for _ in range(2)}
    if dice.random() < 0.2:
        contact["add_labels"] = ["vip"]
    plain = convert_writes.plain_contact(contact)
    try:
        wanted = convert_writes.to_contact(contact_of(contact, "upsert", 0), "")
    except UserError:
        assert plain is None
    else:
        assert plain in (None, wanted)


def test_contacts_of_text_and_numbers_are_plain() -> None:
    """The short way is taken where it is meant to be."""
    assert convert_writes.plain_contact({"id": "c1", "fields": {"plan": "Pro", "spent": 7}})
    assert convert_writes.plain_contact({"id": "c1"})


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**64))
def test_plain_events_are_put_into_a_request_as_all_are(seed: int) -> None:
    """What needs no care gets none, and becomes the same message."""
    dice = random.Random(seed)
    event: dict[str, object] = {
        "contact": dice.choice(("c1", "ü", 12)),
        "type": dice.choice(("open", "Käufe")),
        "time": dice.choice(TIMES),
        "properties": dice.choice((None, {}, {"a": value(dice), "b": 1.5, "c": True, "d": "x"})),
    }
    if dice.random() < 0.5:
        event["id"] = dice.choice((None, "", "e1", "é", 7))
    wanted = convert_writes.to_event(event_of(event, "", creates=False), "")
    assert convert_writes.given_event(event, "", creates=False) == wanted


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**64))
def test_a_record_is_refused_whole_and_alone(seed: int) -> None:
    """Each record is taken or refused as it is when it is sent by itself."""
    dice = random.Random(seed)
    mutations = [mutation(dice) for _ in range(30)]
    together = from_json(mutations)
    alone = [from_json([each]) for each in mutations]
    wrong = {place for place, one in enumerate(alone) if one.refused}
    assert {refusal.index for refusal in together.refused} == wrong
    taken = sorted(n for step in together.changes.steps for n in step.numbers.tolist())
    assert taken == sorted(set(range(30)) - wrong)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**64))
def test_order_is_kept_where_it_matters(seed: int) -> None:
    """What happens to one contact happens in the order of the request, however it is grouped."""
    dice = random.Random(seed)
    mutations = [mutation(dice) for _ in range(40)]
    applied: dict[str, list[int]] = {}
    for step in from_json(mutations).changes.steps:
        for contact, number in named(step):
            applied.setdefault(contact, []).append(number)
    assert applied
    kinds = {n: each["op"] for n, each in enumerate(mutations)}
    for numbers in applied.values():
        # Events of different types have no order among each other.
        order = [n for n in numbers if kinds[n] != "record"]
        assert order == sorted(order)
        for at, number in enumerate(numbers):
            if kinds[number] == "record":
                assert all(n < number for n in numbers[:at] if kinds[n] != "record")
                assert all(n > number for n in numbers[at:] if kinds[n] != "record")


def named(step: object) -> list[tuple[str, int]]:
    """Return the contacts that a step names, with the records that do."""
    match step:
        case ContactStep() | DeleteStep() | SuppressStep():
            columns = [step.ids]
        case EventStep():
            columns = [step.contacts]
        case MergeStep():
            columns = [step.sources, step.targets]
        case _:
            raise AssertionError(step)
    return [
        (contact, number)
        for row in zip(*(c.to_pylist() for c in columns), step.numbers.tolist(), strict=True)
        for *contacts, number in [row]
        for contact in contacts
    ]


def test_a_step_a_kind() -> None:
    """A contact and its events, and the next, are as many steps as there are kinds."""
    mutations: list[dict[str, Any]] = []
    for n in range(100):
        mutations.append({"op": "upsert", "id": f"c{n}", "fields": {"country": "DE"}})
        mutations.append(
            {"op": "record", "contact": f"c{n}", "type": "open", "time": 1_780_000_000}
        )
    steps = from_json(mutations).changes.steps
    assert [(type(step), len(step.numbers)) for step in steps] == [
        (ContactStep, 100),
        (EventStep, 100),
    ]


def test_labels_after_a_replacement() -> None:
    """Labels put on, then all labels replaced, in one request: the replacement is the last word."""
    found = from_json(
        [
            {"op": "upsert", "id": "c1", "add_labels": ["a"]},
            {"op": "upsert", "id": "c1", "fields": {"LABEL": ["b"]}},
        ]
    )
    assert len(found.changes.steps) == 2


GOLDEN = {
    '{"op": "upsert"}': ("id", "INVALID_VALUE", "the id is missing"),
    '{"op": "upsert", "id": 1.5}': (
        "id",
        "INVALID_VALUE",
        "an id is text or a whole number; 1.0 or 1e6 is neither, found `1.5`",
    ),
    '{"op": "upsert", "id": "a", "fields": {"contry": "DE"}}': (
        "contry",
        "UNKNOWN_NAME",
        "there is no stored field of this name; did you mean `country`?",
    ),
    '{"op": "upsert", "id": "a", "fields": {"list": ["news"]}}': (
        "list",
        "UNKNOWN_NAME",
        "lists are joined and left: give `lists`, with an action for each",
    ),
    '{"op": "upsert", "id": "a", "fields": {"contact_id": "b"}}': (
        "contact_id",
        "UNKNOWN_NAME",
        "the id of a contact cannot be changed; merge the contact into the other one",
    ),
    '{"op": "upsert", "id": "a", "fields": {"spent": "1,5"}}': (
        "spent",
        "INVALID_VALUE",
        "a number takes a decimal point, not a comma, found `1,5`",
    ),
    '{"op": "upsert", "id": "a", "fields": {"spent": NaN}}': (
        "spent",
        "INVALID_VALUE",
        "NaN and infinities are not numbers; leave the cell empty if the value is missing, found"
        " `nan`",
    ),
    '{"op": "upsert", "id": "a", "fields": {"birthday": "03/04/2026"}}': (
        "birthday",
        "INVALID_VALUE",
        "ambiguous: day or month first? expected a date such as 2026-04-03, found `03/04/2026`",
    ),
    '{"op": "upsert", "id": "a", "fields": {"Vip": true, "vip": true}}': (
        "vip",
        "INVALID_VALUE",
        "one field in two spellings",
    ),
    '{"op": "upsert", "id": "a", "add_labels": [" "]}': (
        "add_labels",
        "INVALID_VALUE",
        "a label has no name",
    ),
    '{"op": "upsert", "id": "a", "lists": [{"list": "news", "action": "jion"}]}': (
        "lists",
        "INVALID_VALUE",
        "expected one of join, leave, opt_out, opt_in",
    ),
    '{"op": "upsert", "id": "a", "lists": [{"list": "' + "n" * 201 + '", "action": "join"}]}': (
        "lists",
        "INVALID_VALUE",
        "a list's name has at most 200 bytes",
    ),
    '{"op": "record", "contact": "a", "type": "opn", "time": 0}': (
        "type",
        "UNKNOWN_NAME",
        "there is no event type of this name; did you mean `open` or `opened`?",
    ),
    '{"op": "record", "contact": "a", "type": "engaged", "time": 0}': (
        "type",
        "UNKNOWN_NAME",
        "this is a group of event types; give one of them: open, purchase",
    ),
    '{"op": "record", "contact": "a", "type": "open"}': (
        "time",
        "INVALID_VALUE",
        "the time is missing",
    ),
    '{"op": "record", "contact": "a", "type": "open", "time": 0, "properties": {"amount": 1}}': (
        "amount",
        "UNKNOWN_NAME",
        "event type open has no such property",
    ),
    '{"op": "merge", "source": "a", "target": "a"}': (
        "target",
        "INVALID_VALUE",
        "a contact cannot be merged into itself",
    ),
    '{"op": "remove", "id": "a"}': (
        "op",
        "INVALID_VALUE",
        "expected one of upsert, patch, record, delete, merge, suppress, unsuppress",
    ),
    '{"op": "delete", "id": "a", "erased": true}': (
        "erased",
        "INVALID_VALUE",
        "unknown key; expected op, id, erase; did you mean `erase`?",
    ),
    '{"op": "delete", "id": "a", "erase": 1}': (
        "erase",
        "INVALID_VALUE",
        "expected true or false",
    ),
    '{"op": "delete"': ("", "INVALID_VALUE", "not JSON: Expecting ',' delimiter at character 16"),
    "[]": ("", "INVALID_VALUE", "expected one JSON object a line"),
}


@pytest.mark.parametrize("line", GOLDEN)
def test_why_a_line_is_refused(line: str) -> None:
    """A refusal names the field, a stable reason, and says what to do."""
    found = batch([record_of_line(line)])
    field, reason, text = GOLDEN[line]
    assert found.refused == (Refusal(0, field, Reason(reason), text),)
    assert not found.changes.steps


def test_every_mistake_of_a_record() -> None:
    """All mistakes of a record are reported, and only its place is refused."""
    found = batch(
        [
            record_of({"op": "upsert", "id": "a"}),
            record_of({"op": "upsert", "id": " b", "fields": {"spent": "x", "vip": "maybe"}}),
        ]
    )
    assert [(r.index, r.field) for r in found.refused] == [(1, "id"), (1, "spent"), (1, "vip")]
    assert [step.numbers.tolist() for step in found.changes.steps] == [[0]]


def test_ten_thousand_mistakes_of_a_record() -> None:
    """The first 100 are reported, with names that may be meant: not one of each, for seconds."""
    names = {f"spen{number}": 1 for number in range(10_000)}
    found = batch([record_of({"op": "upsert", "id": "a", "fields": names})])
    assert len(found.refused) == 100
    assert all("did you mean `spent`" in refusal.message for refusal in found.refused)
    many = [
        record_of(
            {
                "op": "record",
                "contact": "a",
                "type": f"opem{number}",
                "time": "2026-05-09T12:00:00Z",
            }
        )
        for number in range(300)
    ]
    refused = batch(many).refused
    assert len(refused) == 300
    assert sum("did you mean" in refusal.message for refusal in refused) == 100


def test_instants_finer_than_a_microsecond_are_refused() -> None:
    """A timestamp that cannot be stored exactly, or is in no year, refuses its record."""
    request = contacts_pb2.ContactsWriteRequest()
    for seconds, nanos in ((0, 1000), (0, 1), (10**15, 0), (0, -1), (-(10**15), 0)):
        event = request.mutations.add().record.event
        event.contact, event.type = "a", "open"
        event.time.seconds, event.time.nanos = seconds, nanos
    found = batch([convert_writes.mutation(each) for each in request.mutations])
    assert [refusal.index for refusal in found.refused] == [1, 2, 3, 4]
