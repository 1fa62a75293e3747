"""The writer: on disk before it is seen, once what is sent twice, the same after a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from headcount.index.arrow import ARROW_TYPES
from headcount.index.view import View
from headcount.index.workspace import open_view, save_view
from headcount.live.commit import Batch, Commit, Written
from headcount.live.settings import WriterSettings
from headcount.live.writer import LiveWorkspace
from headcount.load.loader import load
from headcount.model import schema_toml
from headcount.model.changes import (
    Changes,
    ContactStep,
    DeleteStep,
    EventStep,
    ExpireStep,
    FieldUpdate,
    MergeStep,
    Refusal,
    SchemaStep,
    Step,
    SuppressStep,
)
from headcount.model.errors import Reason, UnknownOutcomeError, UserError
from headcount.storage import files
from headcount.storage.folder import WriterLock
from headcount.storage.log import LogSettings
from support.small_workspace import AS_OF, SCHEMA, view, world
from support.worlds import Event
from support.written import contacts, recorded

NOW = 1_780_000_000_000_000
ROOMY = WriterSettings(log=LogSettings(min_free_bytes=0, min_free_share=0.0))


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[WriterLock]:
    save_view(tmp_path, "default", view())
    with WriterLock(tmp_path) as held:
        yield held


def opened(lock: WriterLock, **more: object) -> LiveWorkspace:
    return LiveWorkspace.open(
        lock.folder,
        "default",
        lock,
        clock=lambda: NOW,
        settings=ROOMY,
        **more,  # type: ignore[arg-type]
    )


def batch(*steps: Step, request_id: str = "") -> Batch:
    return Batch(Changes(steps), request_id)


def upsert(values: Mapping[str, Mapping[str, object]], *, creates: bool = True) -> ContactStep:
    """Return a step that sets some fields of contacts."""
    numbers = np.arange(len(values), dtype=np.uint32)
    names = dict.fromkeys(name for one in values.values() for name in one)
    fields = {}
    for name in names:
        field = SCHEMA.field(name)
        assert field is not None
        at = [place for place, one in enumerate(values.values()) if name in one]
        held = [one[name] for one in values.values() if name in one]
        fields[name] = FieldUpdate(np.array(at, np.uint32), pa.array(held, ARROW_TYPES[field.type]))
    return ContactStep(numbers, pa.array(list(values), pa.string()), creates, fields)


def opens(*ids: str, event_id: str | None = None) -> EventStep:
    return recorded(SCHEMA, [Event(one, "open", AS_OF, event_id) for one in ids])


def delete(contact: str) -> DeleteStep:
    return DeleteStep(np.zeros(1, np.uint32), pa.array([contact]))


def value_of(held: View, contact: str, name: str) -> object:
    (position,) = held.lookup(pa.array([contact])).tolist()
    assert position >= 0, f"{contact} is no contact"
    block, row = held.at(position)
    return block.column(name, np.array([row], np.uint32))[0].as_py()


def count_of(held: View, contact: str, event: str) -> int:
    (position,) = held.lookup(pa.array([contact])).tolist()
    block, row = held.at(position)
    return block.event_table(event, np.array([row], np.uint32)).num_rows


def test_what_is_written_is_seen_and_is_there_after_a_restart(lock: WriterLock) -> None:
    with opened(lock) as live:
        first = live.write(batch(upsert({"3": {"plan": "Gold"}, "new": {"spent": 5.0}})))
        assert (first.version.sequence, first.accepted) == (view().version.sequence + 1, 2)
        second = live.write(batch(opens("3", "new", "4")))
        assert second.version.sequence == first.version.sequence + 1
        seen = live.view
        assert seen.version == second.version
    with opened(lock) as live:
        for held in (seen, live.view):
            assert list(held.check()) == []
            assert value_of(held, "3", "plan") == "Gold"
            assert value_of(held, "3", "city") == "Zürich 3"
            assert value_of(held, "new", "spent") == 5.0
            assert held.live_count == view().live_count + 1
            assert [count_of(held, one, "open") for one in ("3", "new", "4", "5")] == [2, 1, 2, 1]
        assert live.view.version == seen.version
        assert live.last_commit == NOW


def test_a_view_that_was_taken_does_not_change(lock: WriterLock) -> None:
    with opened(lock) as live:
        before = live.view
        live.write(batch(upsert({"3": {"plan": "Gold"}}), opens("3")))
        assert value_of(before, "3", "plan") == "Pro"
        assert count_of(before, "3", "open") == 1


def test_unknown_contacts_are_refused_and_the_rest_goes_through(lock: WriterLock) -> None:
    with opened(lock) as live:
        written = live.write(
            batch(upsert({"3": {"vip": True}, "nobody": {"vip": True}}, creates=False))
        )
        assert written.accepted == 1
        (refused,) = written.refused
        assert (refused.index, refused.field, refused.reason) == (1, "id", Reason.NOT_FOUND)
        assert value_of(live.view, "3", "vip") is True
        nothing = live.write(batch(opens("nobody")))
        assert (nothing.accepted, nothing.version) == (0, written.version)


def test_a_refusal_names_the_field_that_holds_the_unknown_id(lock: WriterLock) -> None:
    pairs = [("nobody", "3"), ("3", "nobody"), ("nobody", "no one"), ("4", "3")]
    numbers = np.arange(len(pairs), dtype=np.uint32)
    sources, targets = (pa.array(side) for side in zip(*pairs, strict=True))
    with opened(lock) as live:
        merged = live.write(batch(MergeStep(numbers, sources, targets)))
        assert merged.accepted == 1
        assert [(one.index, one.field) for one in merged.refused] == [
            (0, "source"),
            (1, "target"),
            (2, "source"),
            (2, "target"),
        ]
        (refused,) = live.write(batch(opens("nobody", "3"))).refused
        assert (refused.index, refused.field) == (0, "contact")


def test_refusals_come_in_the_order_of_the_records(lock: WriterLock) -> None:
    mistake = Refusal(1, "time", Reason.INVALID_VALUE, "noon is no time")
    with opened(lock) as live:
        changes = Changes((opens("nobody", "3", "no one"),))
        found = live.write(Batch(changes, "", (mistake,))).refused
        assert [(one.index, one.field) for one in found] == [
            (0, "contact"),
            (1, "time"),
            (2, "contact"),
        ]


def test_a_request_that_comes_again_counts_once(lock: WriterLock) -> None:
    with opened(lock) as live:
        first = live.write(batch(opens("3", "nobody"), request_id="a"))
        again = live.write(batch(opens("3", "nobody"), request_id="a"))
        assert again == Written(first.version, 1, 0, first.refused, already=True)
    with opened(lock) as live:
        assert live.write(batch(opens("3"), request_id="a")) == again
        assert count_of(live.view, "3", "open") == 2
        live.compact()
        assert live.write(batch(opens("3"), request_id="a")) == again


def test_a_request_of_which_all_was_refused_is_remembered(lock: WriterLock) -> None:
    """It gets the same answer again, though it would be taken by then; also after a restart."""
    with opened(lock) as live:
        before = live.view
        first = live.write(batch(opens("nobody"), request_id="a"))
        assert (first.accepted, len(first.refused)) == (0, 1)
        assert first.version.sequence == before.version.sequence + 1
        live.write(batch(upsert({"nobody": {}})))
        again = live.write(batch(opens("nobody"), request_id="a"))
        assert again == Written(first.version, 0, 0, again.refused, already=True)
        assert [(one.index, one.field) for one in again.refused] == [(0, "contact")]
        assert count_of(live.view, "nobody", "open") == 0
        last = live.view.version
        assert live.write(batch(opens("nobody either"))).version == last  # nothing to remember
    with opened(lock) as live:
        assert live.view.version == last
        assert live.write(batch(opens("nobody"), request_id="a")) == again
        live.compact()
        assert live.write(batch(opens("nobody"), request_id="a")) == again


def test_an_event_that_comes_again_counts_once(lock: WriterLock) -> None:
    with opened(lock) as live:
        assert live.write(batch(opens("3", event_id="open-3"))).repeated == 1
        assert live.write(batch(opens("3", event_id="x"))).accepted == 1
        once_more = live.write(batch(opens("3", event_id="x"), upsert({"3": {"vip": True}})))
        assert (once_more.accepted, once_more.repeated) == (1, 1)
        assert count_of(live.view, "3", "open") == 2


def test_deleted_contacts_are_gone_and_may_come_back_as_somebody_new(lock: WriterLock) -> None:
    with opened(lock) as live:
        live.write(batch(DeleteStep(np.zeros(1, np.uint32), pa.array(["3"]))))
        assert live.view.lookup(pa.array(["3"])).tolist() == [-1]
        live.write(batch(upsert({"3": {"vip": True}})))
        assert value_of(live.view, "3", "city") is None
        assert count_of(live.view, "3", "open") == 0
        assert live.view.ordinals(live.view.lookup(pa.array(["3"]))).tolist() == [50]
        assert list(live.view.check()) == []


def test_compaction_changes_nothing_that_is_seen(lock: WriterLock) -> None:
    with opened(lock) as live:
        live.write(batch(upsert({"3": {"plan": "Gold"}, "new": {"spent": 5.0}}), opens("3", "4")))
        live.write(batch(DeleteStep(np.zeros(1, np.uint32), pa.array(["7"]))))
        before = live.view
        version = live.compact()
        assert version == live.view.version == before.version
        assert live.view.recent_blocks == ()
    with opened(lock) as live:
        for held in (live.view, open_view(lock.folder, "default")):
            assert list(held.check()) == []
            assert everything(held) == everything(before)
            assert held.next_ordinal == before.next_ordinal
        live.write(batch(upsert({"newer": {"vip": True}})))
        assert live.view.ordinals(live.view.lookup(pa.array(["newer"]))).tolist() == [51]


def test_a_log_has_so_many_commits_and_no_more(lock: WriterLock) -> None:
    """However small commits are, a compaction is due before a start would take long."""
    few = LiveWorkspace.open(
        lock.folder,
        "default",
        lock,
        clock=lambda: NOW,
        settings=replace(ROOMY, log_commits=3),
    )
    with few as live:
        for _ in range(2):
            live.write(batch(opens("3")))
        assert not live.is_compaction_due
        live.write(batch(opens("3")))
        assert live.is_compaction_due
        live.compact()
        assert not live.is_compaction_due


def test_what_is_read_late_is_what_was_written(lock: WriterLock) -> None:
    """Blocks that are joined without being read hold what was there, wherever it was before."""
    with opened(lock) as live:
        for turn in range(12):  # contacts that move once, twice and often, with events between
            live.write(batch(upsert({"3": {"spent": float(turn)}})))
            live.write(batch(opens("3", str(10 + turn))))
            live.write(batch(upsert({str(10 + turn): {"plan": f"P{turn}"}})))
        first, held = view(), live.view
        for view_ in (held, held.extract(np.array([3, *range(10, 22)]))):
            assert list(view_.check()) == []
            assert value_of(view_, "3", "spent") == 11.0
            assert value_of(view_, "3", "city") == "Zürich 3"
            assert count_of(view_, "3", "open") == count_of(first, "3", "open") + 12
            for turn, one in enumerate(map(str, range(10, 22))):
                assert value_of(view_, one, "plan") == f"P{turn}"
                assert value_of(view_, one, "city") == value_of(first, one, "city")
                assert count_of(view_, one, "open") == count_of(first, one, "open") + 1


def test_many_commits_are_replayed_as_if_one_by_one(lock: WriterLock) -> None:
    """Deletions, returns and merges between writes of the same contacts, in one go of a replay."""
    with opened(lock) as live:
        for turn in range(4):
            live.write(batch(upsert({"3": {"spent": float(turn)}, "new": {"plan": "Gold"}})))
            live.write(batch(opens("new", "4")))
            live.write(batch(delete("new")))
            live.write(batch(upsert({"new": {"spent": 7.0 + turn}}), opens("new", "3")))
            live.write(batch(delete("new"), upsert({"6": {"plan": f"P{turn}"}})))
        live.write(batch(upsert({"new": {"plan": "Last"}}), opens("new")))
        before = live.view
    with opened(lock) as live:
        after = live.view
        assert list(after.check()) == []
        assert after.version == before.version
        assert after.next_ordinal == before.next_ordinal
        assert after.live_count == before.live_count
        for held in (before, after):
            assert value_of(held, "3", "spent") == 3.0
            assert value_of(held, "6", "plan") == "P3"
            assert value_of(held, "new", "plan") == "Last"
            assert value_of(held, "new", "spent") is None
            assert [count_of(held, one, "open") for one in ("3", "new", "4")] == [5, 1, 5]


def test_commits_during_a_compaction_are_kept(lock: WriterLock) -> None:
    with opened(lock) as live:
        live.write(batch(upsert({"3": {"plan": "Gold"}})))
        more = iter(range(100))

        def meanwhile(_done: int, _of: int) -> None:
            live.write(batch(upsert({"3": {"spent": float(next(more))}, f"n{next(more)}": {}})))

        live.compact(meanwhile)
        after = live.view
    with opened(lock) as live:
        assert everything(live.view) == everything(after)
        assert value_of(live.view, "3", "plan") == "Gold"
        assert live.view.live_count > view().live_count


def test_erased_contacts_leave_no_byte_behind(lock: WriterLock) -> None:
    marker = "Marker-of-somebody"
    with opened(lock) as live:
        live.write(batch(upsert({marker: {"city": f"city of {marker}"}}), opens(marker)))
        live.write(
            batch(SuppressStep(np.zeros(1, np.uint32), pa.array([marker]), np.array([True])))
        )
        live.compact()
        assert files_with(lock.folder, marker)
        live.write(batch(DeleteStep(np.zeros(1, np.uint32), pa.array([marker]), erase=True)))
        live.compact()
        assert files_with(lock.folder, marker) == []
        live.write(batch(upsert({marker: {}})))
        assert marker in live.view.suppressed
    assert files_with(lock.folder, marker)


def test_expired_events_are_in_no_answer_and_never_come_back(lock: WriterLock) -> None:
    before = int((AS_OF.timestamp() - 10 * 86_400) * 1_000_000)
    old = recorded(SCHEMA, [Event("3", "open", AS_OF.replace(year=2020))])
    with opened(lock) as live:
        live.write(batch(opens("40")))
        live.write(batch(ExpireStep("open", before)))
        written = live.write(batch(old))
        assert [one.field for one in written.refused] == ["time"]
        assert sum(block.event_count("open") for block in live.view.blocks) == 11 + 1
        seen = everything(live.view)
        live.compact()
        assert everything(live.view) == seen
    with opened(lock) as live:
        assert everything(live.view) == seen
        assert live.write(batch(old)).accepted == 0


def test_a_schema_grows_and_shrinks_under_the_data(lock: WriterLock) -> None:
    text = schema_toml.render(SCHEMA)
    renamed = text.replace("spent", "revenue").replace("city", "town")
    grown = renamed.replace("[fields]", '[fields]\nnickname = "keyword"')
    with opened(lock) as live:
        live.write(batch(upsert({"3": {"plan": "Gold"}})))
        live.write(batch(SchemaStep(grown, fields={"revenue": "spent", "town": "city"})))
        assert list(live.view.check()) == []
        assert value_of(live.view, "3", "revenue") == 4.5
        assert value_of(live.view, "4", "town") == "Zürich 4"
        assert value_of(live.view, "4", "nickname") is None
        seen = everything(live.view)
    with opened(lock) as live:
        assert everything(live.view) == seen
        live.compact()
        assert everything(live.view) == seen
        with pytest.raises(UserError, match="cannot become number"):
            live.write(batch(SchemaStep(_retyped(grown))))
        assert everything(live.view) == seen


def test_events_that_are_kept_longer_may_come_again(lock: WriterLock) -> None:
    old = recorded(SCHEMA, [Event("3", "open", AS_OF.replace(year=2020))])
    forever = schema_toml.render(SCHEMA)
    short, long = (
        forever.replace("[events.open]", f"[events.open]\nkeep_days = {days}")
        for days in (30, 9000)
    )
    assert len({forever, short, long}) == 3
    with opened(lock) as live:
        live.write(batch(SchemaStep(short)))
        live.write(batch(ExpireStep("open", int(AS_OF.timestamp() * 1_000_000))))
        assert live.write(batch(old)).accepted == 0
        live.write(batch(SchemaStep(short)))
        assert live.write(batch(old)).accepted == 0
        before = count_of(live.view, "3", "open")
        live.write(batch(SchemaStep(long)))
        assert live.write(batch(old)).accepted == 1
        assert count_of(live.view, "3", "open") == before + 1
        live.compact()
        assert count_of(live.view, "3", "open") == before + 1


def _retyped(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("town")]
    at = lines.index("[fields]")
    return "\n".join([*lines[: at + 1], 'town = "number"', *lines[at + 1 :]])


def test_a_bad_batch_holds_nobody_up(lock: WriterLock) -> None:
    with opened(lock) as live:
        futures = [
            live.submit(batch(opens("3"))),
            live.submit(batch(SchemaStep("not toml ="))),
            live.submit(batch(opens("3"))),
        ]
        assert futures[0].result().accepted == futures[2].result().accepted == 1
        with pytest.raises(UserError):
            futures[1].result()
        assert count_of(live.view, "3", "open") == 3


def test_followers_see_every_commit_in_order(lock: WriterLock) -> None:
    seen: list[Commit] = []
    with opened(lock) as live:
        start = live.follow(seen.append)
        for n in range(5):
            live.write(batch(opens(str(n))))
        live.write(batch(DeleteStep(np.zeros(1, np.uint32), pa.array(["9"]), erase=True)))
        assert [commit.touched for commit in seen] == [BitMap([n]) for n in (0, 1, 2, 3, 4, 9)]
        assert [commit.erased for commit in seen] == [()] * 5 + [("9",)]
        views = [start, *(commit.after for commit in seen)]
        assert [commit.before for commit in seen] == views[:-1]
    again: list[Commit] = []
    with opened(lock, follow_from=start.version.sequence + 2, follower=again.append):
        assert [commit.touched for commit in again] == [commit.touched for commit in seen[2:]]
        assert [commit.at for commit in again] == [NOW] * 4


def test_a_full_disk_refuses_writes_and_lets_erasure_through(lock: WriterLock) -> None:
    settings = WriterSettings(log=LogSettings(100, 0.0, erasure_bytes=0))
    with LiveWorkspace.open(
        lock.folder, "default", lock, clock=lambda: NOW, settings=settings,
        space=lambda _: files.Space(free=99, total=1000),
    ) as live:  # fmt: skip
        with pytest.raises(UserError) as refused:
            live.write(batch(opens("3")))
        assert refused.value.reason is Reason.DISK_FULL
        assert live.view.version == view().version
        live.write(batch(DeleteStep(np.zeros(1, np.uint32), pa.array(["3"]), erase=True)))
        assert live.view.live_count == view().live_count - 1


def test_on_a_full_disk_deletions_do_not_wait_for_what_is_refused_beside_them(
    lock: WriterLock,
) -> None:
    """One commit would hold all of them: a refused one, a bad one, one done before, a deletion."""
    settings = WriterSettings(log=LogSettings(100, 0.0, erasure_bytes=0))
    free = 1000
    with LiveWorkspace.open(
        lock.folder, "default", lock, clock=lambda: NOW, settings=settings,
        space=lambda _: files.Space(free=free, total=1000),
    ) as live:  # fmt: skip
        before = live.write(batch(opens("4"), request_id="before"))
        free = 99
        with live._committing:  # so that the others come together
            first = live.submit(batch(opens("3")))
            while live._waiting:
                pass
            together = [
                live.submit(batch(opens("3"))),
                live.submit(batch(SchemaStep("not toml ="))),
                live.submit(batch(opens("4"), request_id="before")),
                live.submit(batch(DeleteStep(np.zeros(1, np.uint32), pa.array(["5"]), erase=True))),
                live.submit(batch(DeleteStep(np.zeros(1, np.uint32), pa.array(["6"]), erase=True))),
            ]
        failed = [one.exception() for one in (first, *together[:2])]
        assert [isinstance(one, UserError) and one.reason for one in failed] == [
            Reason.DISK_FULL,
            Reason.DISK_FULL,
            Reason.INVALID_SCHEMA,
        ]
        again, *deleted = [one.result() for one in together[2:]]
        assert again == replace(before, already=True)
        assert [one.accepted for one in deleted] == [1, 1]
        assert live.view.live_count == view().live_count - 2
        assert live.view.version.sequence == before.version.sequence + 1


def test_answers_keep_nothing_that_was_quoted(lock: WriterLock) -> None:
    with opened(lock) as live:
        text = "expected a number, found `ana@example.com`; leave it out"
        why = Refusal(1, "spent", Reason.INVALID_VALUE, text)
        asked = Batch(Changes((opens("3"),)), "a", (why,))
        first = live.write(asked)
        assert first.refused == (why,)
        (kept,) = live.write(asked).refused
        assert kept == replace(why, message="expected a number, found …")
        live.compact()
        assert files_with(lock.folder, "ana@") == []


def test_too_much_that_waits_is_refused(lock: WriterLock) -> None:
    small = WriterSettings(waiting_records=2, log=ROOMY.log)
    with LiveWorkspace.open(
        lock.folder, "default", lock, clock=lambda: NOW, settings=small
    ) as live:
        with live._committing:  # the committer cannot get on
            futures = [live.submit(batch(opens("1")))]
            while live._waiting:
                pass
            futures.append(live.submit(batch(opens("1", "2"))))
            with pytest.raises(UserError) as refused:
                live.submit(batch(opens("1")))
        assert refused.value.reason is Reason.OVERLOADED
        assert [future.result().accepted for future in futures] == [1, 2]


def test_after_an_unknown_outcome_nothing_is_written(lock: WriterLock) -> None:
    failures: list[Exception] = []
    live = opened(lock, on_failure=failures.append)

    def broken(*_: object, **__: object) -> int:
        raise UnknownOutcomeError(lock.folder, "the disk is gone")

    live._log.append = broken  # type: ignore[method-assign]
    with pytest.raises(UnknownOutcomeError):
        live.write(batch(opens("3")))
    with pytest.raises(UnknownOutcomeError):
        live.submit(batch(opens("3")))
    assert failures == [live.failure]
    assert live.view.version == view().version
    live.close()


def everything(held: View) -> dict[object, object]:
    """Return all that is known of everybody, by id, in no order."""
    found: dict[object, object] = {}
    for block in held.blocks:
        for row in block.live:
            at = np.array([row], np.uint32)
            names = ["id", *block.fields, *block.memberships]
            person: dict[str, object] = {name: block.column(name, at)[0].as_py() for name in names}
            for name in block.events:
                table = block.event_table(name, at)
                person[f"event {name}"] = sorted(map(repr, table.to_pylist()))
            found[person["id"]] = {
                name: sorted(value) if isinstance(value, list) else value
                for name, value in person.items()
            }
    return found


def files_with(folder: Path, text: str) -> Sequence[Path]:
    """Return the files below a folder that hold a text."""
    return [
        path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()
    ]


def test_the_world_is_what_was_loaded(lock: WriterLock) -> None:
    with opened(lock) as live:
        live.write(batch(contacts(SCHEMA, world().contacts, list(world().contacts))))
        assert everything(live.view) == everything(view())


def test_a_load_adds_to_what_was_written(lock: WriterLock) -> None:
    with opened(lock) as live:
        live.write(batch(upsert({"3": {"plan": "Gold"}, "new": {"spent": 5.0}}), opens("3")))
        gone = pa.array(["7", "new"])
        live.write(batch(DeleteStep(np.zeros(2, np.uint32), gone, erase=True)))
        live.write(batch(SuppressStep(np.zeros(1, np.uint32), pa.array(["3"]), np.array([True]))))
    lock.close()
    contacts_file = lock.folder / "contacts.csv"
    contacts_file.write_text("id,spent\n3,12\nlater,6\n7,1\n")
    summary = load(
        lock.folder,
        contacts=[contacts_file],
        rejects_path=lock.folder / "rejects.csv",
        now=AS_OF,
    )
    assert (summary.contacts_new, summary.contacts_updated) == (2, 1)
    with WriterLock(lock.folder) as again, opened(again) as live:
        held = live.view
        assert list(held.check()) == []
        assert (value_of(held, "3", "plan"), value_of(held, "3", "spent")) == ("Gold", 12.0)
        assert (value_of(held, "7", "spent"), value_of(held, "7", "city")) == (1.0, None)
        assert count_of(held, "3", "open") == 2
        assert held.lookup(pa.array(["new"])).tolist() == [-1]
        assert "3" in held.suppressed
        assert held.live_count == view().live_count + 1
