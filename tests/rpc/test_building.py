"""Building a segment, step by step, as a program does: through a server and on a folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.client import Client
from headcount.embedded import Workspace
from headcount.index.workspace import save_view
from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine
from headcount.query.explain import Explained
from headcount.query.json_form import from_document
from headcount.segments.store import SavedSegments
from headcount.storage.folder import WriterLock
from support.asking import instant
from support.engines import context_at, members_of, view_of
from support.serving import Served, served
from support.shop import AS_OF as SHOP_AS_OF
from support.shop import SHOP
from support.small import AS_OF, SMALL

NOW = instant(AS_OF)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with the small workspace in it."""
    save_view(tmp_path / "data", "default", view_of(SMALL, 4))
    return tmp_path / "data"


@pytest.fixture
def server(folder: Path) -> Iterator[Served]:
    """A server that holds the folder's lock."""
    with (
        WriterLock(folder) as lock,
        served(Engine(view_of(SMALL, 4)), store=SavedSegments(folder, "default", lock)) as running,
    ):
        yield running


@pytest.fixture(params=["server", "embedded"])
def target(request: pytest.FixtureRequest, folder: Path) -> Iterator[Client | Workspace]:
    """Each of the two ways to ask."""
    if request.param == "embedded":
        yield Workspace.open(folder)
    else:
        with Client(request.getfixturevalue("server").address) as client:
            yield client


def ids(target: Client | Workspace, text: str) -> str:
    """Return the ids of a segment's members."""
    return " ".join(sorted(id_ for some in target.members(text, as_of=NOW) for id_ in some))


def parts(part: Explained) -> dict[str, Explained]:
    """Return a part and all in it by text."""
    return {part.text: part} | {k: v for inner in part.parts for k, v in parts(inner).items()}


def test_defining_previewing_saving_and_using_are_steps(target: Client | Workspace) -> None:
    """176, 177: what is previewed is not stored; what is stored is used when asked for."""
    text = "country = USA and opened in last 30 days"
    assert target.validate(text).errors == ()
    found = target.preview(text, as_of=NOW)
    assert (found.count, target.list_segments().segments) == (3, ())
    target.create_segment("Active in the USA", text)
    assert [one.name for one in target.list_segments().segments] == ["Active in the USA"]
    assert ids(target, 'in segment "Active in the USA"') == "ada dee kim"


def test_a_program_creates_and_changes_a_segment(target: Client | Workspace) -> None:
    """178, 179: from the flat form, by its name, and only if nobody was faster."""
    document = {
        "name": "High value",
        "conditions": [
            {"field": "lifetime_value", "operator": "greater_than", "value": 500},
            {"field": "last_activity", "operator": "within_days", "value": 30},
        ],
        "logic": "AND",
    }
    made = target.create_segment("High value", from_document(document))
    assert ids(target, 'in segment "high value"') == "ada gus"
    changed = target.update_segment("High value", "lifetime_value > 1000", etag=made.etag)
    assert ids(target, 'in segment "high value"') == "ada"
    assert changed.etag != made.etag
    with pytest.raises(UserError, match="changed") as refused:
        target.update_segment("High value", "everyone", etag=made.etag)
    assert refused.value.reason is Reason.CONFLICT


def test_segments_lists_and_labels_are_put_together(target: Client | Workspace) -> None:
    """29, 55, 84: in and not in a saved segment, together with a list."""
    target.create_segment("Active", "last_activity within last 30 days")
    assert ids(target, 'in segment "Active" and in list "VIP Customers"') == "ada"
    assert ids(target, 'not in segment "Active" and in list "VIP Customers"') == "eli"


def test_a_tool_that_knows_only_and(target: Client | Workspace) -> None:
    """87: its conditions are joined by `and`; what it wants joined by `or` it labels."""
    conditions = [
        {"field": "status", "operator": "equals", "value": "Active"},
        {"field": "label", "operator": "contains", "value": "newsletter"},
    ]
    both = from_document({"conditions": conditions, "logic": "AND"})
    assert target.count(both) == target.count('status = Active and label contains "newsletter"')
    assert ids(target, 'label contains any ("newsletter", "vip")') == "ada ben dee gus hal"


def test_why_unexpected_contacts_are_in(target: Client | Workspace) -> None:
    """181: the structure, the instants, the count of each part, and missing values."""
    text = "plan != Pro and (opened in last 30 days or last_visit < 7 days ago)"
    found = target.explain(text, as_of=NOW)
    said = parts(found.root)
    assert found.root.kind.value == "all of"
    assert (said["plan != Pro"].count, said["plan != Pro"].missing) == (9, 5)
    (stretch,) = said["did opened in last 30 days"].stretches
    assert str(stretch.last).startswith("2026-05-09 12:00:00")
    why = target.explain_contact(text, "ida", as_of=NOW)
    assert why.root.holds
    assert [part.holds for part in why.root.parts] == [True, True]


def test_why_so_few_or_so_many(target: Client | Workspace) -> None:
    """182: values nobody has, how many have a value at all, a sample, and what each part costs."""
    found = target.preview("country = Grmany and plan = Pro", as_of=NOW)
    assert found.warnings[0].code == "UNKNOWN_VALUE"
    assert "`Germany`" in found.warnings[0].message
    filled = target.breakdown("everyone", "country", as_of=NOW)
    assert (filled.missing, filled.count) == (4, 12)
    whole = target.explain("country = USA and plan = Pro", as_of=NOW)
    assert [part.without for part in whole.root.parts] == [3, 4]
    assert [one.id for one in target.preview("plan = Basic", as_of=NOW).sample] == ["kim"]


def test_the_version_says_why_an_answer_is_not_newer(target: Client | Workspace) -> None:
    """7, 10, 180: an answer names the instant and the version of the data that it is true of."""
    first, again = (target.answer("plan = Pro", as_of=NOW) for _ in range(2))
    assert first.count == again.count
    assert first.info.as_of == again.info.as_of == NOW
    assert first.info.version == again.info.version


def test_a_calculation_is_usable_wherever_a_number_is(target: Client | Workspace) -> None:
    """91: compared, counted by value, and beside counts of events."""
    assert ids(target, "total_spent / count(purchase) between 100 and 650") == "ada ben gus"
    bars = target.breakdown("everyone", "round(total_spent / 100)", as_of=NOW).bars
    assert {bar.value: bar.count for bar in bars} == {0.0: 1, 1.0: 1, 2.0: 1, 7.0: 1, 8.0: 1}


def test_what_is_worked_out_is_shown_too(target: Client | Workspace) -> None:
    """16, 19: engagement times beside stored fields, on a page, in Arrow and in a preview."""
    fields = ["plan", "last_open"]
    page = target.list_members("country = USA", fields=fields, page_size=2, as_of=NOW)
    assert [(one.id, one.fields.get("last_open")) for one in page.contacts] == [
        ("ada", instant("2026-05-08")),
        ("dee", instant("2026-05-07")),
    ]
    batches = target.member_batches("country = USA", fields=fields, as_of=NOW)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["last_open"] for row in rows] == [
        instant(day) for day in ("2026-05-08", "2026-05-07", "2026-04-30", "2022-08-01")
    ]
    (kim,) = target.preview("plan = Basic", fields=fields, as_of=NOW).sample
    assert kim.fields == {"plan": "Basic", "last_open": instant("2026-04-30")}


def test_a_segment_is_a_question_that_is_asked_again(target: Client | Workspace) -> None:
    """1, 2, 3, 8: nothing is kept of who was in it; an hour, or a month, later it is asked anew."""
    target.create_segment("Cart lately", "did add_to_cart in last 24 hours")
    inside = 'in segment "Cart lately"'
    at = {hours: NOW + dt.timedelta(hours=hours) for hours in (-24, -12, 0, 5, 13)}
    counts = [target.count(inside, as_of=when) for when in at.values()]
    assert counts == [0, 1, 2, 1, 0]


def test_segments_are_made_of_segments_beside_lists(target: Client | Workspace) -> None:
    """5, 6: one uses another, and a list that somebody keeps by hand."""
    target.create_segment("Engaged", "engaged in last 30 days")
    target.create_segment("Engaged VIPs", 'in segment "engaged" and in list "VIP Customers"')
    assert ids(target, 'in segment "Engaged VIPs"') == "ada"
    assert target.get_segment("Engaged").dependants == ("Engaged VIPs",)


def test_a_campaign_that_was_opened_or_clicked() -> None:
    """21, 23: the campaign is a property of the event; who opens it leaves those who did not."""
    engine, context = Engine(view_of(SHOP, 2)), context_at(SHOP_AS_OF)
    assert members_of(engine, 'did email_click where (campaign = "may")', context) == ["dee"]
    assert members_of(engine, 'did email_open where (campaign = "may")', context) == ["ann"]
    others = 'in list "news" and did not email_open where (campaign = "may")'
    assert members_of(engine, others, context) == ["bob"]
