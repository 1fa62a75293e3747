"""
The limits of the language as settings of a server: at each a query is answered, past it it is not.

Small limits, so that both sides are seen in text, in JSON and as a message; that the defaults are
those of the language is seen in tests/query/test_limits.py and test_language_page.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import grpc
import pytest

from headcount.client import Client
from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine, Query
from headcount.query.json_form import from_json, to_json
from headcount.query.limits import Limits
from headcount.query.parse import parse
from headcount.rpc.call import Call
from headcount.rpc.config import CallSettings
from headcount.v1 import query_pb2, segments_pb2
from headcount.v1.segments_pb2_grpc import SegmentsStub
from support.serving import served
from support.small_workspace import view


def joined(conditions: int) -> str:
    """Return a text of so many conditions."""
    return " or ".join(f"spent = {n}" for n in range(conditions))


def nested(levels: int) -> str:
    """Return a text of so many levels inside each other."""
    return "not " * levels + "vip = true"


def listed(values: int) -> str:
    """Return a text with one list of so many values."""
    return f"spent in ({', '.join(map(str, range(values)))})"


def regular(periods: int) -> str:
    """Return a text about so many periods."""
    return f"did open in at least 1 of the last {periods} days"


def long(size: int) -> str:
    """Return a text of so many bytes, two of them for one letter."""
    text = 'city = "ü"'
    return text + " " * (size - len(text.encode()))


LIMITS: list[tuple[str, int, Callable[[int], str]]] = [
    ("conditions", 5, joined),
    ("depth", 5, nested),
    ("values", 5, listed),
    ("periods", 5, regular),
    ("text_bytes", 50, long),
]


@pytest.mark.parametrize(("setting", "limit", "text"), LIMITS, ids=[one[0] for one in LIMITS])
def test_a_limit_is_a_setting(setting: str, limit: int, text: Callable[[int], str]) -> None:
    """80: at the limit all forms are answered, one past it none is, and the server goes on."""
    forms: list[Callable[[str], Query]] = [str]
    if setting != "text_bytes":  # which is of texts
        forms.append(parse)
    with (
        served(Engine(view()), **{f"query__{setting}": limit}) as server,
        Client(server.address) as client,
        grpc.insecure_channel(server.address) as channel,
    ):
        for form in forms:
            client.count(form(text(limit)))
            with pytest.raises(UserError) as refused:
                client.count(form(text(limit + 1)))
            assert refused.value.reason is Reason.LIMIT_EXCEEDED
        calls = SegmentsStub(channel)
        if setting != "text_bytes":
            calls.Count(as_json(to_json(parse(text(limit)))))
            with pytest.raises(grpc.RpcError) as failed:
                calls.Count(as_json(to_json(parse(text(limit + 1)))))
            assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
        client.count(text(limit))


def as_json(document: str) -> segments_pb2.CountRequest:
    """Return the request for a count of JSON."""
    return segments_pb2.CountRequest(query=query_pb2.Query(json=document))


def test_json_is_measured_as_the_text_that_it_is() -> None:
    """A document may be as long as sixteen times the text."""
    limits = Limits(text_bytes=50)
    document = json.dumps({"list": "news"})
    assert from_json(document + " " * (800 - len(document)), limits) == parse('in list "news"')
    with pytest.raises(UserError, match="at most 800 bytes of JSON, found 801"):
        from_json(document + " " * (801 - len(document)), limits)


def test_the_time_of_a_query_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 10 seconds a call is worked on, and not a moment longer."""

    class Waiting:
        def invocation_metadata(self) -> tuple[()]:
            return ()

        def time_remaining(self) -> float:
            return 1e9

        def is_active(self) -> bool:
            return True

    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert CallSettings().query_seconds == 10.0
    call = Call.begin("Count", Waiting(), CallSettings().query_seconds)  # type: ignore[arg-type]
    now += 10.0
    call.check()
    now += 0.001
    with pytest.raises(UserError, match="query_seconds") as refused:
        call.check()
    assert refused.value.reason is Reason.DEADLINE_EXCEEDED
