"""
Audiences and reports as the source documents ask for them: each test names its requirements.

Asked of the small workspace in tests/support/small.py, on 9 May 2026 at noon, UTC.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from headcount.embedded import Workspace
from headcount.index.block import Block
from headcount.index.suppressed import Suppressed
from headcount.index.view import Version, View
from headcount.index.workspace import save_view
from headcount.model.schema import Field, FieldType, Schema
from headcount.query.clock import Clock, to_micros
from headcount.segments.audience import Step
from headcount.segments.history import ENTER, EXIT, History, history
from support.engines import view_of
from support.small import AS_OF, SMALL

NOW = dt.datetime.fromisoformat(AS_OF).replace(tzinfo=dt.UTC)
HOUR = 3_600_000_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small workspace, with the segments that the documents save."""
    folder = tmp_path_factory.mktemp("data")
    save_view(folder, "default", view_of(SMALL, 4))
    workspace = Workspace.open(folder)
    workspace.create_segment("Purchased This Week", "did purchase in last 7 days")
    workspace.create_segment("Engaged", "engaged in last 30 days")
    workspace.create_segment("VIP", 'label contains "vip"')
    return workspace


def sendable(shop: Workspace, *args: str | list[str], on_list: str | None = None) -> str:
    """Return who may be sent to, and assert that the funnel says as many."""
    found = shop.sendable(*args, on_list=on_list, as_of=NOW)
    ids = [id_ for some in found for id_ in some]
    assert found.funnel.sendable == len(ids)
    return " ".join(ids)


def count(shop: Workspace, text: str) -> int:
    """Return the size of a segment."""
    return shop.count(text, as_of=NOW)


# --- include and exclude ------------------------------------------------------------------------


def test_85_include_minus_exclude(shop: Workspace) -> None:
    """Requirement 85: "Send to" a segment, "Exclude" another."""
    assert sendable(shop, 'in segment "Engaged"') == "ada dee ida kim"
    assert sendable(shop, 'in segment "Engaged"', 'in segment "VIP"') == "dee ida kim"


def test_86_the_rest_falls_into_another_flow(shop: Workspace) -> None:
    """Requirement 86: the complement of a segment; nobody is in both or in neither."""
    engaged = set(sendable(shop, 'in segment "Engaged"').split())
    rest = set(sendable(shop, 'not in segment "Engaged"').split())
    assert rest == set(sendable(shop, "everyone", 'in segment "Engaged"').split())
    assert not engaged & rest
    assert engaged | rest == set(sendable(shop, "everyone").split())


def test_6_101_129_recent_buyers_are_left_out(shop: Workspace) -> None:
    """Requirements 6, 101, 129: All Subscribers, except those who purchased this week."""
    everybody = shop.resolve('in list "All Subscribers"', as_of=NOW)
    assert (everybody.funnel.matched, everybody.funnel.removed(Step.NOT_ACTIVE)) == (3, 1)
    found = shop.resolve('in list "All Subscribers"', 'in segment "Purchased This Week"', as_of=NOW)
    assert found.funnel.removed(Step.EXCLUDED) == 1  # gus
    assert sendable(shop, 'in list "All Subscribers"', "converted in last 7 days") == "ada kim"


def test_155_a_segment_is_an_exclusion(shop: Workspace) -> None:
    """Requirement 155: any saved segment, and several of them."""
    excluded = ['in segment "VIP"', 'in segment "Engaged"']
    assert sendable(shop, "everyone", excluded) == "ben cho eli jon lou"


# --- at send ------------------------------------------------------------------------------------


def test_141_142_recipients_are_worked_out_at_send(shop: Workspace) -> None:
    """Requirements 1, 3, 8, 141, 142: the same definition, asked later, finds whoever fits then."""
    definition = "opened in last 7 days"
    assert sendable(shop, definition) == "ada dee"
    later = shop.resolve(definition, as_of=NOW + dt.timedelta(days=5))
    assert later.funnel.matched == 1  # who opened on the 7th has gone from the window
    assert later.info.as_of == NOW + dt.timedelta(days=5)


def test_143_153_suppression_needs_no_new_export(shop: Workspace) -> None:
    """Requirements 143, 153: an id on the list is left out of the very next audience."""
    before = sendable(shop, "plan = Pro")
    view = dataclasses.replace(shop.view, suppressed=Suppressed(frozenset({"ben", "stranger"})))
    suppressing = Workspace(view)
    assert before == "ada ben"
    assert sendable(suppressing, "plan = Pro") == "ada"
    assert suppressing.resolve("plan = Pro", as_of=NOW).funnel.removed(Step.SUPPRESSED) == 1
    assert count(suppressing, "plan = Pro") == count(shop, "plan = Pro")  # no condition sees it


def test_151_unsubscribed_and_bounced_are_never_mailed(shop: Workspace) -> None:
    """Requirement 151: though they match; also when the segment asks for nobody else."""
    assert sendable(shop, "status = Unsubscribed or status = 'Hard Bounce'") == ""
    funnel = shop.resolve("everyone", as_of=NOW).funnel
    assert (funnel.removed(Step.NOT_ACTIVE), funnel.removed(Step.HARD_BOUNCE)) == (2, 1)


def test_152_opting_out_is_per_list(shop: Workspace) -> None:
    """Requirement 152: from one list, and not from others."""
    hal_and_gus = 'opted out of list "News"'
    assert count(shop, hal_and_gus) == 2
    news = shop.resolve("everyone", on_list="News", as_of=NOW).funnel
    others = shop.resolve("everyone", on_list="VIP Customers", as_of=NOW).funnel
    assert (news.removed(Step.OPTED_OUT), others.removed(Step.OPTED_OUT)) == (1, 0)
    assert shop.count('in list "News" and opted out of list "News"', as_of=NOW) == 1  # still on it


def test_154_a_segment_without_status_is_warned_of(shop: Workspace) -> None:
    """Requirement 154: one that is sent to should say "Status = Active"."""
    found = shop.resolve("plan = Pro", on_list="News", as_of=NOW)
    assert [one.code for one in found.funnel.warnings] == ["NO_STATUS"]
    found = shop.resolve("status = Active and plan = Pro", on_list="News", as_of=NOW)
    assert found.funnel.warnings == ()


def test_11_149_membership_is_exported_at_an_instant(shop: Workspace, tmp_path: Path) -> None:
    """Requirements 11, 149: a file that names its version and instant, for other systems."""
    found = shop.export('in segment "VIP"', tmp_path / "vip.parquet", fields=["email"], as_of=NOW)
    table = parquet.read_table(tmp_path / "vip.parquet")
    assert table.column("contact").to_pylist() == ["ada", "gus"]
    assert (found.count, found.info.as_of) == (2, NOW)
    assert b'"as_of": "2026-05-09T12:00:00+00:00"' in table.schema.metadata[b"headcount"]


def test_4_186_one_definition_serves_every_use(shop: Workspace, tmp_path: Path) -> None:
    """Requirements 4, 186: a count, an audience of any list, a report, an export, one contact."""
    query = 'in segment "VIP"'
    size = count(shop, query)
    for on_list in ("News", "VIP Customers"):
        assert shop.resolve(query, on_list=on_list, as_of=NOW).funnel.matched == size
    assert shop.performance(query, as_of=NOW).segments[0].contacts == size
    assert shop.export(query, tmp_path / "vip.csv", as_of=NOW).count == size
    matches = shop.match([query], list(SMALL.contacts), as_of=NOW).matches
    assert sum(one.segments == (0,) for one in matches) == size


def test_5_a_segment_of_segments(shop: Workspace) -> None:
    """Requirement 5: and it changes with those it is made of."""
    shop.create_segment("Keen VIP", 'in segment "VIP" and in segment "Engaged"')
    assert sendable(shop, 'in segment "Keen VIP"') == "ada"
    shop.update_segment("Engaged", "engaged in last 1 hour")
    assert sendable(shop, 'in segment "Keen VIP"') == ""
    shop.update_segment("Engaged", "engaged in last 30 days")


def test_144_146_one_contact_is_asked_about(shop: Workspace) -> None:
    """Requirements 144, 146: whether it enters a journey, and which branch it takes there."""
    queries = ['in segment "VIP"', "plan = Pro", "plan = Free"]
    found = shop.match(queries, ["ada", "dee", "nobody"], as_of=NOW)
    assert [one.segments for one in found.matches] == [(0, 1), (2,), None]


def test_150_somebody_is_won_back(shop: Workspace) -> None:
    """Requirement 150: who bought once and is silent, of those who may be written to."""
    assert sendable(shop, "did purchase and did not engaged in last 60 days") == "ben jon"


def test_173_174_many_conditions_on_many_levels(shop: Workspace) -> None:
    """Requirements 173, 174: 25 conditions on 8 levels, and still the same contacts."""
    text = "plan = Pro"
    for level in range(8):
        text = f"(({text}) and mrr > {level} or country = X{level}) and not (mrr = -{level + 1})"
    found = shop.preview(text, as_of=NOW)
    assert len(found.conditions) == 25
    assert found.count == count(shop, "plan = Pro and mrr > 7") == 3


def test_170_a_log_can_show_the_segments_name(shop: Workspace) -> None:
    """Requirement 170: what was resolved is said in the words of the request."""
    found = shop.resolve('in segment "VIP"', 'in segment "Purchased This Week"', as_of=NOW)
    assert found.funnel.include == ('in segment "VIP"',)
    assert found.funnel.exclude == ('in segment "Purchased This Week"',)


def test_175_nothing_is_worked_out_while_sending(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requirement 175: once an audience is resolved, its contacts are only read."""
    found = shop.sendable("everyone", "did purchase in last 1 hour", on_list="News", as_of=NOW)

    def no_more(*_: object) -> None:
        raise AssertionError("a condition was worked out again")

    monkeypatch.setattr("headcount.query.evaluate.Evaluation.members", no_more)
    monkeypatch.setattr("headcount.query.evaluate.Evaluation.condition", no_more)
    assert [id_ for ids in found for id_ in ids] == [
        "ada",
        "ben",
        "cho",
        "dee",
        "eli",
        "ida",
        "jon",
        "kim",
        "lou",
    ]
    with pytest.raises(AssertionError):
        shop.resolve("plan = Free", as_of=NOW)


# --- metrics ------------------------------------------------------------------------------------


def test_156_159_size_and_overlap(shop: Workspace) -> None:
    """Requirements 156, 159: the current member count, and what segments share."""
    queries = ['in segment "VIP"', 'in segment "Engaged"']
    found = shop.overlap(queries, as_of=NOW)
    assert found.sizes == tuple(count(shop, query) for query in queries)
    assert found.shared[0][1] == count(shop, 'in segment "VIP" and in segment "Engaged"')


def test_160_161_open_and_click_rates_by_segment(shop: Workspace) -> None:
    """Requirements 160, 161: side by side."""
    found = shop.compare(['in segment "VIP"', "plan = Pro", "everyone"], as_of=NOW)
    assert [one.open_rate for one in found.segments] == [1.0, 0.5, 0.5]
    assert [one.click_rate for one in found.segments] == [1.0, 0.5, 0.5]


def test_162_163_conversions_and_revenue_by_segment(shop: Workspace) -> None:
    """Requirements 162, 163: who converted in the window, and for how much."""
    (vip,) = shop.performance('in segment "VIP"', window="this year", as_of=NOW).segments
    assert (vip.converted, vip.conversions, vip.conversion_rate) == (2, 4, 1.0)
    assert (vip.revenue, vip.revenue_per_contact) == (1000.0, 500.0)


def test_168_what_is_compared_is_what_is_sent_to(shop: Workspace) -> None:
    """Requirement 168: one definition for the audience and for the report."""
    for query in ('in segment "VIP"', "plan = Pro and engaged in last 30 days"):
        (report,) = shop.performance(query, as_of=NOW).segments
        audience = shop.resolve(query, as_of=NOW)
        assert report.contacts == audience.funnel.matched
        assert (report.segment,) == audience.funnel.include


# --- over time ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Moved:
    """One coming or going."""

    contact: str
    kind: str
    at: int


@dataclasses.dataclass(frozen=True)
class Week:
    """Ten members, of whom two leave; four come, of whom one leaves again and returns."""

    since: int = to_micros(dt.datetime(2026, 5, 4, tzinfo=dt.UTC))
    size: int = 10

    @property
    def until(self) -> int:
        """Return the end of the week."""
        return self.since + 7 * 24 * HOUR

    def transitions(self) -> Iterable[Moved]:
        """Return what happened, day and hour."""
        happened = [
            ("a", EXIT, 0, 9), ("p", ENTER, 0, 10), ("q", ENTER, 1, 10), ("b", EXIT, 2, 8),
            ("p", EXIT, 2, 10), ("r", ENTER, 4, 12), ("p", ENTER, 5, 10), ("s", ENTER, 6, 1),
        ]  # fmt: skip
        return [
            Moved(who, kind, self.since + (24 * day + hour) * HOUR)
            for who, kind, day, hour in happened
        ]


@pytest.fixture(scope="module")
def week() -> History:
    """The history of that week."""
    record = Week()
    return history(record, None, None, Clock(record.until, ZoneInfo("UTC")))


def test_157_158_growth_and_churn(week: History) -> None:
    """Requirements 157, 158: as shares of the size at the beginning."""
    assert (week.total.start, week.total.size) == (10, 12)
    assert week.total.growth == pytest.approx(0.2)
    assert week.total.churn == pytest.approx(0.3)


def test_164_166_how_often_and_when_membership_changes(week: History) -> None:
    """Requirements 164, 166: entries, exits and returns, day by day."""
    assert [day.entries for day in week.days] == [1, 1, 0, 0, 1, 1, 1]
    assert [day.exits for day in week.days] == [1, 0, 2, 0, 0, 0, 0]
    assert [day.returns for day in week.days] == [0, 0, 0, 0, 0, 1, 0]


def test_165_average_time_in_the_segment(week: History) -> None:
    """Requirement 165: of the stays whose beginning is known, here one of two days."""
    assert (week.total.stays, week.total.average_stay) == (1, 2 * 86_400.0)


def test_167_stability(week: History) -> None:
    """Requirement 167: eight of the ten never left."""
    assert week.stability == pytest.approx(0.8)


def test_169_a_series_of_growth_and_shrinkage(week: History) -> None:
    """Requirement 169: the size at the end of each day; each begins where the last one ended."""
    assert [day.size for day in week.days] == [10, 11, 9, 9, 10, 11, 12]
    assert [day.start for day in week.days] == [10, 10, 11, 9, 9, 10, 11]


# --- size ---------------------------------------------------------------------------------------


def test_14_hundreds_of_thousands_of_contacts() -> None:
    """Requirement 14: 300,000 of them, each number exact, every id once."""
    numbers = np.arange(300_000)
    table = pa.table(
        {
            "id": pa.array([f"c{n}" for n in numbers.tolist()]),
            "status": pa.array(["Active", "Pending", "Hard Bounce", "Active"]).take(
                pa.array(numbers % 4)
            ),
            "spent": pa.array((numbers % 1000).astype(np.float64)),
        }
    )
    schema = Schema(fields={"spent": Field("spent", FieldType.NUMBER)})
    size = 1 << 17
    blocks = [
        Block.build(place, table.slice(start, size), {}, schema)
        for place, start in enumerate(range(0, len(numbers), size))
    ]
    suppressed = Suppressed(frozenset(f"c{n}" for n in range(0, 300_000, 700)))
    view = View(schema, tuple(blocks), Version(1, 1), size, suppressed=suppressed)
    found = Workspace(view).sendable("spent >= 500", "spent between 600 and 699")
    spent = numbers % 1000
    wanted = (spent >= 500) & ~((spent >= 600) & (spent <= 699))
    wanted &= np.isin(numbers % 4, (0, 3)) & (numbers % 700 != 0)
    assert found.funnel.sendable == wanted.sum()
    ids = [id_ for some in found for id_ in some]
    assert ids == [f"c{n}" for n in numbers[wanted].tolist()]
