"""DuckDB and Headcount agree, member for member, on a year of real purchases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from headcount.embedded import Workspace
from headcount.load.loader import load
from headcount.model import schema_toml
from real.journey_segments import AS_OF, IN_NEW_YORK, SEGMENTS
from support.journey import Journey, prepare


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """The data as files and in DuckDB."""
    prepared = prepare(tmp_path_factory.mktemp("files"))
    yield prepared
    prepared.sql.close()


@pytest.fixture(scope="module")
def workspace(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The same files, loaded by Headcount and opened again from disk."""
    folder = tmp_path_factory.mktemp("data")
    summary = load(
        folder,
        schema=schema_toml.parse(journey.schema_toml),
        contacts=[journey.contacts],
        events=list(journey.events),
        now=dt.datetime(2018, 2, 1, tzinfo=dt.UTC),
        rejects_path=folder / "rejects.csv",
    )
    assert summary.contacts_new == 2469
    assert summary.events_loaded == 1_469_307 + 6_589 + 2_102
    return Workspace.open(folder)


def expected(journey: Journey, query: str) -> set[str]:
    """Return the households that DuckDB finds."""
    parameters = {"now": AS_OF.replace(tzinfo=None)} if "$now" in query else None
    return {row[0] for row in journey.sql.execute(query, parameters).fetchall()}


def members(workspace: Workspace, segment: str, zone: str) -> set[str]:
    """Return the households that Headcount finds."""
    batches = workspace.members(segment, as_of=AS_OF, time_zone=zone)
    return {contact for batch in batches for contact in batch}


@pytest.mark.parametrize("name", SEGMENTS)
def test_duckdb_agrees(journey: Journey, workspace: Workspace, name: str) -> None:
    """The segment and its SQL name the same households, and the count is their number."""
    segment, query = SEGMENTS[name]
    zone = "America/New_York" if name in IN_NEW_YORK else "UTC"
    found = members(workspace, segment, zone)
    assert found == expected(journey, query)
    assert workspace.count(segment, as_of=AS_OF, time_zone=zone) == len(found)


def test_the_comparison_can_fail(journey: Journey, workspace: Workspace) -> None:
    """A segment beside the SQL of a slightly different one is seen to differ."""
    segment, query = SEGMENTS["not equal holds the missing"]
    assert members(workspace, segment, "UTC") != expected(
        journey, query.replace("is distinct from", "<>")
    )


def test_the_year_passes_its_own_check(workspace: Workspace) -> None:
    """Every redundant structure built from the year agrees with its source."""
    assert list(workspace.check()) == []
