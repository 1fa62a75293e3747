"""Reports through every door, and on the command line."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headcount.cli.main import run
from headcount.client import AsyncClient, Client
from headcount.embedded import Workspace
from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.rpc import convert_reports
from headcount.segments.history import History, Stretch
from headcount.segments.report import Report
from headcount.v1 import common_pb2
from support.engines import view_of
from support.serving import Served, served
from support.small import AS_OF, SMALL

NOW = dt.datetime.fromisoformat(AS_OF).replace(tzinfo=dt.UTC)

Ask = Callable[..., Report]


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server of the small workspace."""
    with served(Engine(view_of(SMALL, 4))) as running:
        yield running


def awaited(address: str, name: str, *args: Any, **options: Any) -> Report:
    """Return what the asyncio client answers."""

    async def ask() -> Report:
        async with AsyncClient(address) as client:
            found: Report = await getattr(client, name)(*args, **options)
            return found

    return asyncio.run(ask())


@pytest.fixture(params=["embedded", "client", "asyncio"])
def ask(request: pytest.FixtureRequest, server: Served) -> Iterator[Ask]:
    """Each of the three that can be asked: name of the method, then its arguments."""
    if request.param == "embedded":
        workspace = Workspace(view_of(SMALL, 4))
        yield lambda name, *args, **options: getattr(workspace, name)(*args, **options)
    elif request.param == "client":
        with Client(server.address) as client:
            yield lambda name, *args, **options: getattr(client, name)(*args, **options)
    else:
        yield lambda name, *args, **options: awaited(server.address, name, *args, **options)


def test_a_performance_is_the_same_from_every_door(ask: Ask) -> None:
    """Every number, what was counted, and the instant."""
    found = ask("performance", parse("plan = Pro"), as_of=NOW)
    (one,) = found.segments
    assert (one.segment, one.contacts, one.reached, one.opened) == ("plan = Pro", 3, 2, 1)
    assert (one.open_rate, one.revenue) == (0.5, 200.0)
    assert found.measured.send == ("email_send",)
    assert found.measured.window == "in last 30 days"
    assert found.measured.revenue == "amount"
    assert (found.info.as_of, found.info.time_zone) == (NOW, "UTC")


def test_what_is_counted_can_be_chosen(ask: Ask) -> None:
    """Events by any of their names; nothing summed has no revenue."""
    found = ask(
        "performance", "everyone", window="ever", send="sent", open="visited", click="carted",
        conversion="engaged", as_of=NOW,
    )  # fmt: skip
    assert found.measured.open == ("page_view",)
    assert found.measured.conversion == ("email_open", "email_click")
    assert found.measured.revenue == ""
    assert found.segments[0].revenue is found.segments[0].revenue_per_contact is None


def test_segments_are_compared(ask: Ask) -> None:
    """In the order they were asked for; those without a rate have none."""
    found = ask("compare", ["plan = Pro", "plan = Por", "everyone"], window="this year", as_of=NOW)
    alone = [
        ask("performance", text, window="this year", as_of=NOW).segments[0]
        for text in ("plan = Pro", "plan = Por", "everyone")
    ]
    assert list(found.segments) == alone
    assert found.segments[1].open_rate is None
    assert [one.code for one in found.warnings] == ["UNKNOWN_VALUE"]


@pytest.mark.parametrize(
    ("name", "args", "options", "field"),
    [
        ("performance", ["plam = Pro"], {}, "queries[0]"),
        ("performance", ["everyone"], {"window": "soon"}, "window"),
        ("performance", ["everyone"], {"click": "clikced"}, "click"),
        ("compare", [[]], {}, "queries"),
        ("compare", [["everyone", "plan ="]], {}, "queries[1]"),
        ("compare", [["everyone"] * 101], {}, "queries"),
    ],
)
def test_errors_are_the_same_from_every_door(
    ask: Ask, name: str, args: list[Any], options: dict[str, str], field: str
) -> None:
    """With the place that is wrong."""
    with pytest.raises(UserError) as refused:
        ask(name, *args, **options)
    assert refused.value.field == field
    assert refused.value.reason is not Reason.NOT_FOUND


def test_the_command_prints_segments_side_by_side(
    server: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people a column a segment; as JSON and CSV every number."""
    command = ["report", "performance", "plan = Pro", "plan = Free", "--server", server.address]
    command += ["--as-of", f"{AS_OF}Z"]
    assert run(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  [1] plan = Pro"
    rows = {line[:20].strip(): line[20:].split() for line in lines[4:]}
    assert rows["open rate"] == ["50.0%", "-"]
    assert rows["revenue"] == ["200.00", "0.00"]
    assert run([*command, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["segments"][0]["conversion_rate"] == pytest.approx(1 / 3)
    assert document["conversion"] == ["purchase"]
    assert run([*command, "--format", "csv"]) == 0
    first, second = csv.DictReader(capsys.readouterr().out.splitlines())
    assert (first["sends"], second["open_rate"]) == ("3", "")
    assert set(
        dataclasses.asdict(Workspace(view_of(SMALL)).performance("everyone").segments[0])
    ) <= set(first)


# --- history ------------------------------------------------------------------------------------


def test_nothing_watched_has_no_history(ask: Ask) -> None:
    """There is no watch of that name, whoever is asked."""
    with pytest.raises(UserError) as refused:
        ask("history", "vip")
    assert refused.value.reason is Reason.NOT_FOUND
    assert "`vip`" in refused.value.message
    with pytest.raises(UserError) as naive:
        ask("history", "vip", since=dt.datetime(2026, 1, 1))  # noqa: DTZ001
    assert naive.value.field == "since"


def test_a_history_survives_the_wire() -> None:
    """Every number, days, and those that there are none of."""
    stay = Stretch(0, 86_400_000_000, 4, 3, 2, 1, 1, 10_800.5)
    none = Stretch(86_400_000_000, 2 * 86_400_000_000, 0, 0, 0, 0, 0, None)
    told = History(stay, 3, (stay, none))
    message = convert_reports.to_history(told, common_pb2.AnswerInfo())
    again = type(message).FromString(message.SerializeToString())
    assert convert_reports.history(again) == told
    assert again.total.churn == 0.5
    assert not again.days[1].HasField("churn")
    assert not again.days[1].HasField("average_stay")
