"""Batches of many callers that come at once: what each alone would have done, and been answered."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from headcount.index.arrow import ARROW_TYPES
from headcount.index.view import View
from headcount.index.workspace import save_view
from headcount.live import recent, writer
from headcount.live.commit import Batch, Written
from headcount.live.joint import joined, step_to_join
from headcount.live.settings import WriterSettings
from headcount.live.writer import LiveWorkspace
from headcount.model.changes import (
    Changes,
    ContactStep,
    DeleteStep,
    FieldUpdate,
    Refusal,
    SetUpdate,
)
from headcount.model.errors import Reason
from headcount.storage.folder import WriterLock
from headcount.storage.log import LogSettings
from support.small_workspace import SCHEMA, view
from support.written import committed

NOW = 1_780_000_000_000_000
ROOMY = WriterSettings(log=LogSettings(min_free_bytes=0, min_free_share=0.0))
ASKED = ("3", "4", "5", "new", "other")


def put(contact: str, *, creates: bool = True, **values: object) -> Changes:
    fields = {}
    for name, value in values.items():
        field = SCHEMA.field(name)
        assert field is not None
        column = pa.array([value], ARROW_TYPES[field.type])
        fields[name] = FieldUpdate(np.zeros(1, np.uint32), column)
    return Changes((ContactStep(np.zeros(1, np.uint32), pa.array([contact]), creates, fields),))


def labelled(contact: str) -> Changes:
    one = np.zeros(1, np.uint32)
    labels = SetUpdate(one, pa.array(["vip"]), np.ones(1, np.bool_))
    return Changes((ContactStep(one, pa.array([contact]), True, labels=labels),))


def batches() -> list[Batch]:
    bad = Refusal(1, "plan", Reason.INVALID_VALUE, "no")
    return [
        Batch(put("3", plan="Gold", spent=1.0), "a"),
        Batch(put("new", plan="Gold"), "b"),
        Batch(put("3", spent=2.0), "c", (bad,)),
        Batch(put("nobody", creates=False, plan="Gold"), "d"),
        Batch(Changes((DeleteStep(np.zeros(1, np.uint32), pa.array(["new"])),)), "e"),
        Batch(put("new", spent=3.0), "f"),
        Batch(labelled("4"), "g"),
        Batch(put("4", plan="Free"), "h"),
        Batch(put("3", plan=None), "i"),
        Batch(put("5", spent=5.0), "k"),
        Batch(put("other", city="Bern"), "l"),
    ]


def opened(lock: WriterLock) -> LiveWorkspace:
    return LiveWorkspace.open(lock.folder, "default", lock, clock=lambda: NOW, settings=ROOMY)


def state(held: View) -> list[list[object]]:
    """Return what is held of some contacts, column by column."""
    positions = held.lookup(pa.array(ASKED))
    assert (positions >= 0).all()
    columns, _ = held.gather(positions)
    return [columns[name].to_pylist() for name in columns]


def said(written: Sequence[Written]) -> list[tuple[object, ...]]:
    return [(one.accepted, one.repeated, one.refused, one.already) for one in written]


def together(live: LiveWorkspace, several: Sequence[Batch]) -> list[Written]:
    """Return the answers to batches that are in one commit, but for the first."""
    with live._committing:
        futures: list[Future[Written]] = [live.submit(several[0])]
        while live._waiting:
            pass
        futures += [live.submit(one) for one in several[1:]]
    return [one.result() for one in futures]


def test_one_commit_of_many_does_what_each_alone_does(tmp_path: Path) -> None:
    """Contacts made, changed twice, deleted and made again, beside refusals and labels."""
    answers, states = [], []
    for name in ("alone", "together"):
        folder = tmp_path / name
        save_view(folder, "default", view())
        with WriterLock(folder) as lock:
            with opened(lock) as live:
                if name == "alone":
                    answers.append(said([live.write(one) for one in batches()]))
                else:
                    answers.append(said(together(live, batches())))
                    assert live.view.version.sequence == view().version.sequence + 2
                states.append(state(live.view))
                assert list(live.view.check()) == []
            with opened(lock) as live:
                states.append(state(live.view))
                again = live.write(batches()[2])
                assert again.already
                assert again.refused == (batches()[2].refused)
    assert answers[0] == answers[1]
    assert all(one == states[0] for one in states)


def test_steps_are_put_together_in_order() -> None:
    """The later value of a contact stands behind the earlier one, and fields may differ."""
    steps = [put("3", plan="Gold", spent=1.0), put("4", spent=2.0), put("3", plan="Free")]
    found = [step_to_join(one) for one in steps]
    step = joined([one for one in found if one is not None])
    assert step.ids.to_pylist() == ["3", "4", "3"]
    assert step.fields["plan"].at.tolist() == [0, 2]
    assert step.fields["plan"].values.to_pylist() == ["Gold", "Free"]
    assert step.fields["spent"].at.tolist() == [0, 1]
    (read,) = Changes.decode(Changes((step,)).encode()).steps
    assert isinstance(read, ContactStep)
    assert read.fields["plan"].at.tolist() == [0, 2]


def test_what_may_be_refused_is_left_alone() -> None:
    """Patches, labels and several steps keep their own place."""
    assert step_to_join(put("3", creates=False, spent=1.0)) is None
    assert step_to_join(labelled("3")) is None
    assert step_to_join(Changes((*put("3", spent=1.0).steps, *put("4", spent=1.0).steps))) is None


def test_a_contact_that_is_written_over_and_over_can_be_read(tmp_path: Path) -> None:
    """What no write touched is read through few blocks, of contacts in the base and of new ones."""
    save_view(tmp_path, "default", view())
    with WriterLock(tmp_path) as lock, opened(lock) as live:
        live.write(Batch(put("new", city="Bern")))
        for turn in range(400):
            live.write(Batch(put("new" if turn % 2 else "3", spent=float(turn))))
        positions = live.view.lookup(pa.array(["3", "new"]))
        columns, events = live.view.gather(positions)
        assert columns["city"].to_pylist() == ["Zürich 3", "Bern"]
        assert columns["spent"].to_pylist() == [398.0, 399.0]
        assert events["open"].num_rows > 0
        assert list(live.view.check()) == []


def test_small_blocks_are_joined_when_nobody_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same version and contacts in fewer blocks; commits that come at once spare a few."""
    joined_to = list[View]()
    idle = threading.Event()

    def tidied(held: View) -> View:
        joined_to.append(recent.tidied(held))
        idle.set()
        return joined_to[-1]

    monkeypatch.setattr(writer, "tidied", tidied)
    save_view(tmp_path, "default", view())
    with WriterLock(tmp_path) as lock, opened(lock) as live:
        monkeypatch.setattr(writer, "_IDLE_SECONDS", 600.0)
        for turn in range(40):
            live.write(Batch(put(f"new {turn}", spent=float(turn))))
            assert len(live.view.recent_blocks) <= writer._SPARE + 8
        before = live.view
        assert recent.is_untidy(before)
        assert not joined_to
        monkeypatch.setattr(writer, "_IDLE_SECONDS", 0.001)
        live.write(Batch(put("new 0", spent=-1.0)))
        assert idle.wait(60)
        live.write(Batch(put("new 1", spent=-2.0)))  # waits for the joined view to be in its place
        assert len(live.view.recent_blocks) < len(before.recent_blocks)
        assert list(live.view.check()) == []
        ids = [f"new {turn}" for turn in range(40)]
        columns, _ = live.view.gather(live.view.lookup(pa.array(ids)))
        assert columns["id"].to_pylist() == ids
        assert columns["spent"].to_pylist() == [-1.0, -2.0, *map(float, range(2, 40))]


def test_blocks_that_cannot_be_joined_end_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write would leave more of them behind; what was acknowledged is there later."""
    failed, tried = list[Exception](), list[View]()
    told = threading.Event()

    def tidied(held: View) -> View:
        tried.append(held)
        raise ZeroDivisionError

    def on_failure(error: Exception) -> None:
        failed.append(error)
        told.set()

    monkeypatch.setattr(writer, "tidied", tidied)
    monkeypatch.setattr(writer, "_IDLE_SECONDS", 600.0)
    save_view(tmp_path, "default", view())
    with WriterLock(tmp_path) as lock:
        with LiveWorkspace.open(
            tmp_path, "default", lock, clock=lambda: NOW, settings=ROOMY, on_failure=on_failure
        ) as live:
            for turn in range(5):
                live.write(Batch(put(f"new {turn}", spent=float(turn))))
            monkeypatch.setattr(writer, "_IDLE_SECONDS", 0.001)
            live.write(Batch(put("new 5", spent=5.0)))
            assert told.wait(60)
            assert [type(error) for error in failed] == [ZeroDivisionError]
            with pytest.raises(ZeroDivisionError):
                live.submit(Batch(put("new 6", spent=6.0)))
        assert len(tried) == 1
        monkeypatch.undo()
        with opened(lock) as live:
            assert (live.view.lookup(pa.array([f"new {turn}" for turn in range(6)])) >= 0).all()


def test_a_block_does_not_hold_on_to_the_view_it_was_made_from() -> None:
    """What it has yet to read comes from blocks; a view would hold on to all those of before."""
    first = committed(view(), put("3", plan="Gold"), 1)
    gone = weakref.ref(first)
    second = committed(first, Changes((*put("new", spent=1.0).steps, *labelled("3").steps)), 2)
    del first
    gc.collect()
    assert gone() is None
    assert second.recent_blocks
