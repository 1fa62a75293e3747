"""What the source documents ask of live data, of a server: each test names its requirements."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.answers_watch import Told
from headcount.client import Client
from headcount.model.schema import Field, FieldType
from headcount.model.schema_toml import parse as parse_schema
from support.live_server import live_served, make_folder

SCHEMA = parse_schema(
    'labels = ["vip"]\n[fields]\nname = "text"\nemail = "text"\nplan = "keyword"\n'
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of a server of an empty workspace."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    with live_served(folder) as running, Client(running.address) as found:
        yield found


def told(stream: Iterator[Told], count: int) -> list[tuple[str, str]]:
    """Return the next *count* comings and goings: kind and contact."""
    found: list[tuple[str, str]] = []
    while len(found) < count:
        found += [(str(one.kind), one.contact) for one in next(stream).transitions]
    return found


def test_145_entering_and_leaving_start_something(client: Client) -> None:
    """Requirement 145: "entered the VIP segment", "left engaged": each is told as it happens."""
    client.create_segment("VIP", 'label contains "vip"')
    stream = client.watch('in segment "VIP"')
    assert next(stream).transitions == ()
    client.upsert([{"id": "ann", "add_labels": ["vip"]}])
    client.upsert([{"id": "ann", "remove_labels": ["vip"]}])
    assert told(stream, 2) == [("enter", "ann"), ("exit", "ann")]


def test_147_a_label_a_stage_or_a_field_starts_something(client: Client) -> None:
    """Requirement 147: whichever of them a program sets."""
    client.upsert([{"id": id_} for id_ in ("ann", "bob", "cem")])
    streams = [
        client.watch(text) for text in ('label contains "vip"', "stage = Customer", "plan = Pro")
    ]
    for stream in streams:
        assert next(stream).transitions == ()
    client.patch([{"id": "ann", "add_labels": ["vip"]}])
    client.patch([{"id": "bob", "fields": {"stage": "Customer"}}])
    client.patch([{"id": "cem", "fields": {"plan": "Pro"}}])
    assert [told(stream, 1) for stream in streams] == [
        [("enter", "ann")], [("enter", "bob")], [("enter", "cem")],
    ]  # fmt: skip


def test_185_fields_may_come_later(client: Client) -> None:
    """Requirement 185: a contact of name and address; then a new field, and a finer segment."""
    client.upsert([{"id": "ann", "fields": {"name": "Ann", "email": "ann@example.org"}}])
    client.create_segment("reachable", "email is not empty")
    assert client.count('in segment "reachable"') == 1
    fields = {**SCHEMA.fields, "interest": Field("interest", FieldType.KEYWORD)}
    client.update_schema(dataclasses.replace(SCHEMA, fields=fields))
    assert client.count("interest is empty") == 1
    client.patch([{"id": "ann", "fields": {"interest": "sailing"}}])
    client.update_segment("reachable", "email is not empty and interest = sailing")
    assert client.count('in segment "reachable"') == 1
