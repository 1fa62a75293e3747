"""The watcher: what it tells survives crashes, and is what an uninterrupted watch would tell."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from headcount.index.workspace import save_view
from headcount.model.changes import DeleteStep, SchemaStep, Step
from headcount.model.errors import Reason, UserError
from headcount.query.clock import to_datetime
from headcount.segments.watch.binding import course_of
from headcount.segments.watch.commit import Touched
from headcount.segments.watch.document import Spec
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.transitions import Kind, Reentry, Settings, Transition
from headcount.segments.watch.watcher import WatcherSettings
from headcount.storage.folder import WriterLock
from headcount.storage.watches import WatchStore
from support.engines import view_of
from support.house import HOUR, PEOPLE, SCHEMA, START, House, plain, upserted
from support.worlds import Event, World
from support.written import recorded


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    world = World(SCHEMA, {id_: {"plan": "Free", "spent": 1.0} for id_ in PEOPLE}, [])
    save_view(tmp_path, "default", view_of(world))
    with WriterLock(tmp_path) as lock:
        found = House(tmp_path, lock)
        found.open()
        yield found
        found.watcher.close()
        found.live.close()


def random_steps(dice: random.Random, now: int) -> list[Step]:
    """Return a batch of writes about now, late and early events among them."""
    found: list[Step] = []
    for _ in range(dice.randint(1, 3)):
        id_ = dice.choice(PEOPLE)
        match dice.randrange(4):
            case 0:
                plan = dice.choice(("Pro", "Free", None))
                found.append(upserted({id_: {"plan": plan, "spent": dice.random() * 100}}))
            case 1:
                amount = {"amount": float(dice.randint(1, 60))}
                at = to_datetime(now + dice.randint(-6, 2) * HOUR)
                found.append(recorded(SCHEMA, [Event(id_, "order", at, None, amount)]))
            case _:
                at = to_datetime(now + dice.randint(-6 * HOUR, HOUR))
                found.append(recorded(SCHEMA, [Event(id_, "open", at)]))
    return found


RULES = {
    "pro": Settings(reentry=Reentry.ONCE),
    "recent": Settings(seed=True),
    "both": Settings(),
    "quiet": Settings(seed=True, reentry=Reentry.AFTER, pause=2 * HOUR),
    "today": Settings(),
    "spender": Settings(),
}


@pytest.mark.parametrize("seed", range(6))
def test_crashes_and_sleeps_change_nothing(house: House, seed: int) -> None:
    """However often it looks, crashes or compacts: what an uninterrupted membership tells."""
    dice = random.Random(seed)
    plays: dict[str, tuple[Membership, list[Transition]]] = {}
    for name, rule in RULES.items():
        house.create(name, rule)
        course = course_of(house.watcher.get(name).spec.definition(), house.live.view)
        plays[name] = Membership.begin(house.live.view, course, rule, house.now)
    for _ in range(60):
        match dice.randrange(13):
            case 0:
                house.crash()
            case 12:
                house.restart()
            case 1:
                house.watcher.checkpoint()  # as a server does before the log is cut
                house.live.compact()
            case 2 | 3 | 4:
                house.watcher.step()
            case 5:
                house.now += dice.randint(0, 9) * HOUR
            case 6:
                house.now += dice.randint(0, HOUR)
            case _:
                house.write(*random_steps(dice, house.now))
    house.watcher.step()
    told = 0
    for name, (membership, expected) in plays.items():
        for commit in house.commits:
            expected += membership.commit(Touched(commit))
        expected += membership.advance(house.now)
        assert plain(house.said(name)) == plain(expected), name
        told += len(expected)
    assert told > 20


def test_a_reader_goes_on_behind_its_token(house: House) -> None:
    """Gap-free and in order, also over a crash; a token holds for its watch alone."""
    house.create("pro")
    house.create("recent")
    for id_ in PEOPLE[:5]:
        house.plan(id_, "Pro")
    house.watcher.step()
    watch = house.watcher.get("pro")
    token = house.watcher.token(watch, 3)
    house.crash()
    house.plan("c9", "Pro")
    house.watcher.step()
    watch = house.watcher.get("pro")
    assert [t.contact for t in house.said("pro", house.watcher.resume(watch, token))] == [
        "c3", "c4", "c9",
    ]  # fmt: skip
    with pytest.raises(UserError, match="another watch"):
        house.watcher.resume(house.watcher.get("recent"), token)
    with pytest.raises(UserError, match="found something else"):
        house.watcher.resume(watch, token[:-4] + "AAAA")
    future = house.watcher.token(watch, 99)
    with pytest.raises(UserError) as caught:
        house.watcher.resume(watch, future)
    assert caught.value.reason is Reason.STALE_READ


def test_a_token_from_before_what_is_kept_is_too_old(house: House) -> None:
    """OUT_OF_RANGE with the oldest token that would do; that one does."""
    house.settings = WatcherSettings(history=3, checkpoint_transitions=4)
    house.crash()
    house.create("pro")
    watch = house.watcher.get("pro")
    first = house.watcher.token(watch, 0)
    for round_ in range(4):
        for id_ in PEOPLE[:3]:
            house.plan(id_, "Free" if round_ % 2 else "Pro")
            house.watcher.step()
    with pytest.raises(UserError) as caught:
        house.watcher.resume(watch, first)
    assert caught.value.reason is Reason.TOO_OLD
    (oldest,) = caught.value.suggestions
    number = house.watcher.resume(watch, oldest)
    house.watcher.get("pro").feed.forget()
    assert [t.number for t in house.said("pro", number)] == list(range(number + 1, 13))
    house.crash()
    assert house.watcher.get("pro").feed.bookmark.number == 12


def test_a_new_watch_is_followed_from_where_it_began(house: House) -> None:
    """After a crash it hears of no batch from before it, and of each one since at its instant."""
    house.plan("c1", "Pro")
    house.watcher.step()
    house.create("pro")
    house.now += HOUR
    house.plan("c2", "Pro")
    house.now += HOUR
    house.plan("c3", "Pro")
    house.crash()
    house.watcher.step()
    assert [(t.contact, t.kind, t.at - START) for t in house.said("pro")] == [
        ("c2", Kind.ENTER, HOUR), ("c3", Kind.ENTER, 2 * HOUR),
    ]  # fmt: skip
    house.plan("c4", "Pro")
    house.watcher.step()
    house.create("recent")
    house.crash()
    assert [t.contact for t in house.said("pro")] == ["c2", "c3", "c4"]


def test_a_stop_hands_over_what_waits(house: House) -> None:
    """It follows no batch any more; who starts again does, one by one."""
    house.create("pro")
    house.plan("c1", "Pro")
    house.watcher.step()
    for id_ in ("c2", "c3"):
        house.plan(id_, "Pro")
    house.plan("c2", "Free")
    house.watcher.close()
    kept = WatchStore(house.folder, "default", house.lock)
    (watch,) = kept.watches()
    assert kept.progress(watch.id).number == 1
    kept.close()
    house.live.close()
    house.open()
    house.watcher.step()
    assert [(t.contact, t.kind) for t in house.said("pro")] == [
        ("c1", Kind.ENTER), ("c2", Kind.ENTER), ("c3", Kind.ENTER), ("c2", Kind.EXIT),
    ]  # fmt: skip


def test_old_transitions_go_however_rare_they_are(house: House) -> None:
    """A watch that is checkpointed by compactions alone keeps no more than its settings say."""
    house.settings = WatcherSettings(history=5)
    house.crash()
    house.create("pro")
    watch = house.watcher.get("pro")
    for round_ in range(8):
        for id_ in PEOPLE[:3]:
            house.plan(id_, "Free" if round_ % 2 else "Pro")
            house.watcher.step()
        house.watcher.checkpoint()
        oldest = house.watcher.store.oldest(watch.id)
        assert oldest == max(1, 3 * (round_ + 1) - 4)
    house.crash()
    assert house.watcher.get("pro").feed.bookmark.number == 24


def test_a_watch_that_lags_is_told_the_sum(house: House) -> None:
    """More batches than may wait are one: no step that cancels out, and the right members."""
    house.settings = WatcherSettings(waiting_commits=3)
    house.crash()
    house.create("pro")
    for n in range(20):
        house.plan("c1", "Pro" if n % 2 == 0 else "Free")
        house.plan(f"c{n % 5 + 5}", "Pro")
    house.watcher.step()
    said = house.said("pro")
    assert {t.contact for t in said} == {f"c{n}" for n in range(5, 10)}
    assert all(t.kind is Kind.ENTER for t in said)


def test_data_that_are_ahead_are_taken_as_one_batch(house: House) -> None:
    """The log was cut behind a generation before the watcher had followed."""
    house.create("pro")
    house.watcher.checkpoint()
    for id_ in PEOPLE[:3]:
        house.plan(id_, "Pro")
    house.plan("c0", "Free")
    house.live.compact()
    house.crash()
    house.watcher.step()
    assert [(t.contact, t.kind) for t in house.said("pro")] == [
        ("c1", Kind.ENTER), ("c2", Kind.ENTER),
    ]  # fmt: skip


def test_a_watch_of_a_field_that_is_gone_is_at_fault_until_it_is_back(house: House) -> None:
    """Its readers are told why; the members of before are compared when it is mended."""
    house.create("pro")
    house.plan("c1", "Pro")
    without = 'id = "id"\n[fields]\nspent = "number"\n[events.open]\n[events.order]\n'
    house.write(SchemaStep(without, {}))
    house.watcher.step()
    watch = house.watcher.get("pro")
    assert watch.fault is not None
    assert house.said("pro")[-1].contact == "c1"
    with pytest.raises(UserError, match="plan"):
        watch.feed.wait(1, 0)
    house.crash()
    assert house.watcher.get("pro").fault is not None


def test_what_is_erased_is_not_in_the_file(house: House) -> None:
    """The transitions stay, numbered, and the id is nowhere in the file."""
    secret = "somebody@example.com"
    house.create("pro")
    house.write(upserted({secret: {"plan": "Pro"}}))
    house.watcher.step()
    path = house.watcher.store.path
    held = b"".join(p.read_bytes() for p in path.parent.glob("watches.db*"))
    assert secret.encode() in held
    ids = pa.array([secret])
    house.write(DeleteStep(np.zeros(1, dtype=np.uint32), ids, erase=True))
    house.watcher.step()
    assert [t.contact for t in house.said("pro")] == [secret, secret]  # who reads along is told
    held = b"".join(p.read_bytes() for p in path.parent.glob("watches.db*"))
    assert secret.encode() not in held
    house.crash()
    assert [(t.number, t.contact) for t in house.said("pro")] == [(1, ""), (2, "")]


def test_a_full_disk_keeps_nobody_from_stopping(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be written down is followed after the next start."""

    def full(*_: object) -> None:
        raise UserError(Reason.DISK_FULL, "the disk is full")

    house.create("pro")
    house.watcher.step()
    house.plan("c1", "Pro")
    monkeypatch.setattr(house.watcher.store, "write", full)
    with pytest.raises(UserError, match="full"):
        house.watcher.step()
    house.restart()
    assert [t.contact for t in house.said("pro")] == ["c1"]


def test_names_and_numbers_of_watches_are_limited(house: House) -> None:
    """What cannot be is refused with a reason."""
    house.settings = WatcherSettings(watches=2)
    house.crash()
    house.create("pro")
    with pytest.raises(UserError, match="already"):
        house.create("pro")
    with pytest.raises(UserError, match="pause"):
        house.create("recent", Settings(reentry=Reentry.AFTER))
    with pytest.raises(UserError, match="unknown field"):
        house.watcher.create(Spec("x", "plam = Pro", "UTC", Settings(), house.now))
    house.create("recent")
    with pytest.raises(UserError, match="as many as may be"):
        house.create("both")
    house.watcher.delete("pro")
    with pytest.raises(UserError, match="no watch `pro`"):
        house.watcher.get("pro")
    house.crash()
    assert [watch.spec.name for watch in house.watcher.watches()] == ["recent"]


def test_streams_of_one_segment_share_a_watch_that_goes_when_unread(house: House) -> None:
    """It has no name, is not listed, and lingers for a day."""
    spec = Spec("", "plan = Pro", "UTC", Settings(seed=True), house.now)
    watch = house.watcher.private(spec)
    assert house.watcher.private(spec) is watch
    assert house.watcher.watches() == []
    house.now += HOUR
    house.watcher.step()
    assert house.watcher.private(spec) is watch
    house.crash()
    house.now += 23 * HOUR
    house.watcher.step()
    kept = house.watcher.private(spec)
    assert kept.id == watch.id
    house.now += 2 * HOUR
    house.watcher.step()
    assert house.watcher.private(spec).id != watch.id


def test_the_thread_wakes_up_for_a_commit(house: House) -> None:
    """A reader that waits is woken by what was written."""
    feed = house.create("pro")
    house.watcher.start()
    house.plan("c3", "Pro")
    assert feed.wait(0, 30)
    assert [t.contact for t in feed.after(0, 10)] == ["c3"]
