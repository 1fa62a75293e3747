"""Whole loads: upserts, lists, JSON, several blocks, and a twin in plain Python."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headcount.index.workspace import open_view
from headcount.load.progress import Step
from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage.folder import WriterLock
from support.loading import Contents, contents, put, rejects, write

SCHEMA = """
[fields]
country = "keyword"
spent = "number"
interests = "keywords"
stage = { type = "stage", values = ["Lead", "Customer"] }
[events.open]
alias = ["opened"]
[events.purchase]
alias = "bought"
properties = { amount = "number", category = "keyword" }
[event_groups]
both = ["open", "purchase"]
"""
HEADER = "contact,type,time"


def at(text: str) -> dt.datetime:
    """Return an instant of UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_columns_in_the_file_overwrite_and_others_stay(tmp_path: Path) -> None:
    """An upsert writes the file's columns over, empty cells too, and leaves the rest alone."""
    put(tmp_path, SCHEMA, contacts="id,country,spent,interests\na,DE,1,x;y\nb,US,2,z\n")
    summary = put(tmp_path, contacts="ID,Country\nc,FR\nb,\na,GB\n")
    assert (summary.contacts_new, summary.contacts_updated) == (1, 2)
    assert contents(tmp_path).contacts == {
        "a": {"country": "GB", "spent": 1.0, "interests": {"x", "y"}},
        "b": {"spent": 2.0, "interests": {"z"}},
        "c": {"country": "FR"},
    }


def test_json_says_null_or_nothing(tmp_path: Path) -> None:
    """In NDJSON null makes a known contact's value missing, and an absent key keeps it."""
    put(tmp_path, SCHEMA, contacts="id,country,spent,interests\na,DE,1,x\nb,US,2,y\n")
    lines = [
        {"id": "a", "country": None},
        {"id": "new", "spent": 9},
        {"id": "b", "spent": 3.5, "interests": ["p", "q"]},
    ]
    text = "\n".join(map(json.dumps, lines))
    put(tmp_path, contacts=write(tmp_path, "c.ndjson", text))
    assert contents(tmp_path).contacts == {
        "a": {"spent": 1.0, "interests": {"x"}},
        "b": {"country": "US", "spent": 3.5, "interests": {"p", "q"}},
        "new": {"spent": 9.0},
    }


def test_json_values_of_mixed_types_are_refused_one_by_one(tmp_path: Path) -> None:
    """A column need not have one type; each value is judged on its own."""
    lines = [{"id": 1, "spent": "1.5"}, {"id": "2", "spent": 2}, {"id": 3.0, "spent": 1},
             {"id": 4, "spent": True}, {"spent": 5}, {"id": 6, "country": 7}]  # fmt: skip
    text = "\n".join(map(json.dumps, lines))
    summary = put(tmp_path, SCHEMA, contacts=write(tmp_path, "c.jsonl", text))
    assert contents(tmp_path).contacts == {
        "1": {"spent": 1.5},
        "2": {"spent": 2.0},
        "6": {"country": "7"},
    }
    assert summary.contacts_refused == 3
    assert [line for _, line, *_ in rejects(tmp_path)] == [3, 4, 5]


def test_closed_sets_match_in_any_case(tmp_path: Path) -> None:
    """Status and stage take their declared spelling; others are refused with the list."""
    text = "id,status,stage\na,hard bounce,CUSTOMER\nb,Active,lead\nc,Bounced,\nd,,Trial\n"
    put(tmp_path, SCHEMA, contacts=text)
    assert contents(tmp_path).contacts == {
        "a": {"status": "Hard Bounce", "stage": "Customer"},
        "b": {"status": "Active", "stage": "Lead"},
    }
    (_, _, _, _, status), (_, _, _, _, stage) = rejects(tmp_path)
    assert status == "expected one of Active, Pending, Unsubscribed, Hard Bounce"
    assert stage == "expected one of Lead, Customer"


def test_lists(tmp_path: Path) -> None:
    """Rows make members, opt-outs stay members, and the times become events, once each."""
    put(tmp_path, SCHEMA, contacts="id,list,label\na,old;news,vip\nb,,\n")
    text = (
        "list,contact,joined_at,opted_out_at\n"
        "news,a,2026-01-01T00:00:00Z,\n"
        "news,b,2026-01-02T00:00:00Z,2026-03-01T00:00:00Z\n"
        "offers,b,,\n"
        "offers,b,,\n"
        "news,nobody,,\n"
        ",a,,\n"
    )
    summary = put(tmp_path, lists=text)
    assert (summary.lists_loaded, summary.lists_refused) == (4, 2)
    found = contents(tmp_path)
    assert found.contacts == {
        "a": {"list": {"old", "news"}, "label": {"vip"}},
        "b": {"list": {"news", "offers"}, "opted_out": {"news"}},
    }
    joined = [(c, t, p) for c, t, _, p in found.events["list_joined"]]
    assert joined == [
        ("a", at("2026-01-01"), {"list": "news"}),
        ("b", at("2026-01-02"), {"list": "news"}),
    ]
    left = [(c, t, p) for c, t, _, p in found.events["list_opted_out"]]
    assert left == [("b", at("2026-03-01"), {"list": "news"})]
    again = put(tmp_path, lists=text + "news,a,2026-06-01T00:00:00Z,\n")
    assert (again.events_loaded, again.events_repeated) == (0, 0)
    repeated = contents(tmp_path)
    assert repeated.contacts == found.contacts
    assert len(repeated.events["list_joined"]) == 3
    assert len(repeated.events["list_opted_out"]) == 1


def test_list_events_may_come_as_events_too(tmp_path: Path) -> None:
    """`list_left` and its like are event types of every workspace."""
    events = f"{HEADER},list\na,list_left,2026-01-01T00:00:00Z,news\n"
    summary = put(tmp_path, SCHEMA, contacts="id\na\n", events=events)
    assert summary.events_loaded == 1
    assert contents(tmp_path).events["list_left"][0][3] == {"list": "news"}


def test_names_of_event_types(tmp_path: Path) -> None:
    """Aliases stand for their type in any case; groups and unknown names are refused."""
    names = ["open", "OPENED", "Bought", "both", "opne", ""]
    rows = "".join(f"a,{name},2026-01-01T00:00:00Z\n" for name in names)
    summary = put(tmp_path, SCHEMA, contacts="id\na\n", events=f"{HEADER}\n{rows}")
    assert (summary.events_loaded, summary.events_refused) == (3, 3)
    found = contents(tmp_path).events
    assert {name: len(rows) for name, rows in found.items()} == {"open": 2, "purchase": 1}
    reasons = [reason for *_, reason in rejects(tmp_path)]
    assert "a group of event types; give one of them: open, purchase" in reasons
    assert "unknown event type (did you mean opened or open?)" in reasons
    assert "the event type is missing" in reasons


def test_properties_are_those_of_the_type(tmp_path: Path) -> None:
    """A value for a property that the event's type lacks is refused, an empty cell is not."""
    events = (
        f"{HEADER},amount,category\n"
        "a,purchase,2026-01-01T00:00:00Z,1.5,Books\n"
        "a,open,2026-01-02T00:00:00Z,,\n"
        "a,open,2026-01-03T00:00:00Z,,Books\n"
        "a,purchase,2026-01-04T00:00:00Z,free,\n"
        "a,purchase,,1,\n"
    )
    summary = put(tmp_path, SCHEMA, contacts="id\na\n", events=events)
    assert (summary.events_loaded, summary.events_refused) == (2, 3)
    assert [(line, column) for _, line, column, _, _ in rejects(tmp_path)] == [
        (4, "category"), (5, "amount"), (6, "time"),
    ]  # fmt: skip
    assert summary.reasons["category: event type open has no such property"] == 1


def test_properties_as_json(tmp_path: Path) -> None:
    """One column may hold all properties, as JSON text or, in NDJSON, as an object."""
    cells = ['{"amount": 1.5, "Category": "Books"}', "", '{"amount": null}', "[1]",
             '{"amuont": 1}', '{"amount": 1, "AMOUNT": 2}', '{"amount": "x"}']  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*HEADER.split(","), "properties"])
    writer.writerows(["a", "purchase", "2026-01-01", cell] for cell in cells)
    summary = put(tmp_path, SCHEMA, contacts="id\na\n", events=out.getvalue())
    assert (summary.events_loaded, summary.events_refused) == (3, 4)
    expected = [{"amount": 1.5, "category": "Books"}, {}, {}]
    assert [p for *_, p in contents(tmp_path).events["purchase"]] == expected
    assert "event type purchase has no such property (did you mean amount?)" in [
        reason for *_, reason in rejects(tmp_path)
    ]
    lines = [
        {"contact": "a", "type": "bought", "time": 1767225600, "properties": {"amount": 2}},
        {"contact": "a", "type": "open", "time": 1767225600000},
    ]
    path = write(tmp_path, "e.ndjson", "\n".join(map(json.dumps, lines)))
    assert put(tmp_path, events=path).events_loaded == 2
    both = f"{HEADER},amount,properties\na,open,2026-01-01,,\n"
    with pytest.raises(UserError, match="give all properties in one way"):
        put(tmp_path, events=both)


def test_files_of_every_format_load_alike(tmp_path: Path) -> None:
    """The same rows as CSV, NDJSON, Parquet and Arrow give the same workspace."""
    table = pa.table({
        "id": ["a", "b"],
        "spent": [1.5, None],
        "interests": pa.array([["x", "y"], None], pa.list_(pa.string())),
        "created_at": pa.array([at("2026-01-01"), None], pa.timestamp("ms", "UTC")),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "c.parquet")
    with pa.ipc.new_file(str(tmp_path / "c.arrow"), table.schema) as writer:
        writer.write_table(table)
    text = 'id;spent;interests;created_at\na;1.5;"x;y";2026-01-01T00:00:00Z\nb;;;\n'
    write(tmp_path, "c.csv", text)
    rows = [{**row, "created_at": row["created_at"] and row["created_at"].isoformat()}
            for row in table.to_pylist()]  # fmt: skip
    write(tmp_path, "c.ndjson", "\n".join(map(json.dumps, rows)))
    found = []
    for name in ("c.parquet", "c.arrow", "c.csv", "c.ndjson"):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        put(folder, SCHEMA, contacts=tmp_path / name)
        found.append(contents(folder))
    assert found == [found[0]] * 4
    assert found[0].contacts["a"]["interests"] == {"x", "y"}


def test_only_touched_blocks_are_built(tmp_path: Path) -> None:
    """Blocks that no row belongs to are copied; the last one is filled before a new one begins."""
    rows = "".join(f"c{at},DE\n" for at in range(150))
    first = put(tmp_path, SCHEMA, contacts=f"id,country\n{rows}", block_rows=64)
    assert first.blocks_built == 3
    second = put(tmp_path, contacts="id,country\nc70,US\n", block_rows=1 << 20)
    assert second.blocks_built == 1
    more = "".join(f"d{at},FR\n" for at in range(50))
    third = put(tmp_path, contacts=f"id,country\n{more}")
    assert third.blocks_built == 2
    assert [first.generation, second.generation, third.generation] == [1, 2, 3]
    view = open_view(tmp_path / "data", "default")
    assert [block.rows for block in view.blocks] == [64, 64, 64, 8]
    assert view.version.sequence == 3
    found = contents(tmp_path).contacts
    assert list(found) == [f"c{at}" for at in range(150)] + [f"d{at}" for at in range(50)]
    assert found["c70"] == {"country": "US"}


def test_a_schema_may_grow(tmp_path: Path) -> None:
    """Later fields, types and properties are missing where nothing was loaded for them."""
    rows = "".join(f"c{at}\n" for at in range(100))
    events = f"{HEADER}\nc1,open,2026-01-01\n"
    put(tmp_path, SCHEMA, contacts=f"id\n{rows}", events=events, block_rows=64)
    grown = SCHEMA.replace("[events.open]", '[events.open]\nproperties = { link = "text" }')
    grown = grown.replace("[fields]", '[fields]\nvip = "boolean"')
    events = f"{HEADER},link\nc2,open,2026-01-02,x\n"
    put(tmp_path, grown, contacts="id,vip\nc70,yes\n", events=events)
    found = contents(tmp_path)
    assert found.contacts["c70"] == {"vip": True}
    assert found.contacts["c1"] == {}
    assert [p for *_, p in found.events["open"]] == [{}, {"link": "x"}]


def test_a_new_workspace_needs_a_schema(tmp_path: Path) -> None:
    """Without one the error says what to do; an unknown folder is made only for data."""
    with pytest.raises(UserError, match="load with --infer") as caught:
        put(tmp_path, contacts="id\na\n")
    assert caught.value.reason is Reason.INVALID_SCHEMA
    with pytest.raises(UserError, match="there is no file"):
        put(tmp_path / "other", SCHEMA, contacts=tmp_path / "none.csv")
    assert not (tmp_path / "other").exists()


def test_workspaces_are_apart(tmp_path: Path) -> None:
    """Two workspaces of a folder have nothing in common."""
    put(tmp_path, SCHEMA, contacts="id\na\n")
    put(tmp_path, "", contacts="id\nb\n", workspace="other")
    assert list(contents(tmp_path).contacts) == ["a"]
    assert list(contents(tmp_path, "other").contacts) == ["b"]
    with pytest.raises(UserError, match="workspace name"):
        put(tmp_path, "", contacts="id\nb\n", workspace="../x")


def test_one_writer(tmp_path: Path) -> None:
    """A folder that is being written is refused at once."""
    with WriterLock(tmp_path / "data"), pytest.raises(UserError) as caught:
        put(tmp_path, SCHEMA, contacts="id\na\n")
    assert caught.value.reason is Reason.CONFLICT


def test_a_load_that_fails_changes_nothing(tmp_path: Path) -> None:
    """After an error, early or late, the workspace is what it was and no file is left."""
    put(tmp_path, SCHEMA, contacts="id,country\na,DE\n", block_rows=64)
    before, names = contents(tmp_path), sorted(os.listdir(tmp_path / "data"))
    late = write(tmp_path, "late.csv", 'contact,type,time\na,open,2026-01-01\na,"open,2026\n')
    with pytest.raises(UserError, match="is never closed"):
        put(tmp_path, contacts="id,country\na,US\nb,FR\n", events=late, budget=0)

    def stop(step: Step) -> None:
        if step.stage == "building":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(tmp_path, contacts="id,country\na,US\nb,FR\n", progress=stop)
    assert contents(tmp_path) == before
    assert sorted(os.listdir(tmp_path / "data")) == names
    assert [p.name for p in (tmp_path / "data/workspaces/default").iterdir()] == ["gen-000001.db"]


def test_damage_is_found_before_anything_is_added(tmp_path: Path) -> None:
    """A load into a damaged workspace stops; it never builds on what is not known to be good."""
    put(tmp_path, SCHEMA, contacts="id\na\n")
    path = tmp_path / "data/workspaces/default/gen-000001.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptionError):
        put(tmp_path, contacts="id\nb\n")


def test_progress_and_summary(tmp_path: Path) -> None:
    """Steps tell the file, its bytes and rows, then the blocks; the summary has the durations."""
    steps: list[Step] = []
    ticks = iter([10.0, 12.0, 15.0])
    summary = put(
        tmp_path,
        SCHEMA,
        contacts="id\na\nb\n\nc,x\n",
        events=f"{HEADER}\na,open,2026-01-01\nb,open,2026-01-01\n",
        progress=steps.append,
        clock=lambda: next(ticks),
    )
    size = (tmp_path / "contacts.csv").stat().st_size
    assert steps[0] == Step("contacts.csv", 2, size, size)
    stages = dict.fromkeys(step.stage for step in steps)
    assert list(stages) == ["contacts.csv", "events.csv", "building"]
    assert steps[-1] == Step("building", 1, 1, 1)
    assert (summary.read_seconds, summary.build_seconds, summary.seconds) == (2.0, 3.0, 5.0)
    assert (summary.rows, summary.rows_per_second) == (5, 1.0)
    assert summary.rejects == tmp_path / "rejects.csv"
    assert put(tmp_path).rejects is None


def test_rejects_may_lie_in_the_data_folder(tmp_path: Path) -> None:
    """Also those of the first load, when the folder is new."""
    path = tmp_path / "data/rejects.csv"
    put(tmp_path, SCHEMA, contacts="id,spent\na,x\nb,1\n", rejects_path=path)
    assert path.exists()
    assert list(contents(tmp_path).contacts) == ["b"]


def test_no_contacts_at_all(tmp_path: Path) -> None:
    """A schema alone makes an empty workspace, which can be loaded into."""
    put(tmp_path, SCHEMA)
    assert contents(tmp_path) == Contents({}, {})
    put(tmp_path, contacts="id\na\n")
    assert list(contents(tmp_path).contacts) == ["a"]


COUNTRIES = ["DE", "US", "", "bad"]
ids = st.integers(0, 90).map(lambda n: f"c{n}")
contact_rows = st.lists(
    st.fixed_dictionaries(
        {"id": st.one_of(ids, st.just(""))},
        optional={
            "country": st.sampled_from(["DE", "US", ""]),
            "spent": st.sampled_from(["", "1", "2.5", "bad"]),
            "interests": st.sampled_from(["", "x", "x;y"]),
        },
    ),
    max_size=60,
)
event_rows = st.lists(
    st.tuples(
        ids,
        st.sampled_from(["open", "opened", "purchase", "nothing"]),
        st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "bad"]),
        st.sampled_from(["", "1", "2"]),
        st.sampled_from(["", "3", "bad"]),
    ),
    max_size=60,
)
list_rows = st.lists(
    st.tuples(
        st.sampled_from(["news", "offers"]),
        ids,
        st.sampled_from(["", "2026-01-01T00:00:00Z"]),
        st.sampled_from(["", "2026-02-01T00:00:00Z"]),
    ),
    max_size=30,
)
loads = st.lists(
    st.tuples(st.lists(contact_rows, max_size=2), event_rows, list_rows, st.booleans()),
    min_size=1,
    max_size=3,
)


class Twin:
    """What loads do, one row at a time."""

    def __init__(self) -> None:
        self.contacts: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[tuple[Any, ...]]] = {}
        self.refused = 0
        self.repeated = 0

    def load(
        self, files: list[list[dict[str, str]]], events: list[Any], lists: list[Any], create: bool
    ) -> None:
        """Do what a load of these rows does."""
        met: set[str] = set()
        for rows in files:
            for row in rows:
                bad = row.get("spent") == "bad" or not row["id"] or row["id"] in met
                self.refused += bad
                if not bad:
                    met.add(row["id"])
                    self._put(row)
        for row in lists:
            self._list(*row, create)
        for row in events:
            self._event(*row, create)

    def _put(self, row: dict[str, str]) -> None:
        contact = self.contacts.setdefault(row["id"], {})
        for name, text in row.items():
            if name != "id":
                contact.pop(name, None)
                if text:
                    read = {"spent": float, "interests": lambda t: set(t.split(";"))}
                    contact[name] = read.get(name, str)(text)

    def _known(self, contact: str, create: bool) -> bool:
        if create:
            self.contacts.setdefault(contact, {})
        return contact in self.contacts

    def _list(self, name: str, contact: str, joined: str, left: str, create: bool) -> None:
        if not self._known(contact, create):
            self.refused += 1
            return
        self.contacts[contact].setdefault("list", set()).add(name)
        if left:
            self.contacts[contact].setdefault("opted_out", set()).add(name)
        for event, time in (("list_joined", joined), ("list_opted_out", left)):
            if time:
                found = (contact, dt.datetime.fromisoformat(time), None, {"list": name})
                log = self.events.setdefault(event, [])
                if found not in log:
                    log.append(found)

    def _event(
        self, contact: str, kind: str, time: str, event: str, amount: str, create: bool
    ) -> None:
        name = {"opened": "open"}.get(kind, kind)
        bad = name == "nothing" or time == "bad" or amount == "bad"
        if bad or (name == "open" and amount) or not self._known(contact, create):
            self.refused += 1
            return
        log = self.events.setdefault(name, [])
        if event and any(e[0] == contact and e[2] == event for e in log):
            self.repeated += 1
            return
        values = {"amount": float(amount)} if amount else {}
        log.append((contact, dt.datetime.fromisoformat(time), event or None, values))


def as_csv(header: list[str], rows: list[Any]) -> str:
    """Return rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def counted(events: dict[str, list[tuple[Any, ...]]], *, ids: bool) -> dict[str, Counter[str]]:
    """Return how often each event is there, by type, whatever the order."""
    return {
        name: Counter(repr((c, t.timestamp(), i if ids else None, p)) for c, t, i, p in found)
        for name, found in events.items()
        if found
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(loads, st.sampled_from([0, 2000, 1 << 30]), st.sampled_from([8, 64, 1 << 20]))
def test_any_loads_do_what_the_twin_does(
    tmp_path_factory: pytest.TempPathFactory,
    sequence: list[Any],
    budget: int,
    block_rows: int,
) -> None:
    """Loads of random rows, one upon the other, whatever the blocks and the budget."""
    folder = tmp_path_factory.mktemp("load")
    twin, refused, repeated = Twin(), 0, 0
    schema: str | None = SCHEMA
    for files, events, lists, create in sequence:
        paths = []
        for place, rows in enumerate(files):
            text = "\n".join(map(json.dumps, rows))
            if rows:
                paths.append(write(folder, f"{place}.ndjson", text))
        summary = put(
            folder,
            schema,
            contacts=paths,
            events=as_csv([*HEADER.split(","), "id", "amount"], events) if events else [],
            lists=as_csv(["list", "contact", "joined_at", "opted_out_at"], lists) if lists else [],
            create_contacts=create,
            budget=budget,
            block_rows=block_rows,
        )
        schema = None
        twin.load(files, events, lists, create)
        refused += summary.refused
        repeated += summary.events_repeated
    found = contents(folder)
    assert found.contacts == twin.contacts
    listed = {"list_joined", "list_opted_out"}
    for names, with_ids in ((listed, False), (found.events.keys() - listed, True)):
        expected = {
            name: log for name, log in twin.events.items() if (name in listed) == (not with_ids)
        }
        stored = {name: found.events[name] for name in names if name in found.events}
        assert counted(stored, ids=with_ids) == counted(expected, ids=with_ids)
    assert (refused, repeated) == (twin.refused, twin.repeated)
