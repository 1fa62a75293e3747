"""Workers: blocks shared out to several threads, as one alone would have answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from threading import Barrier, Event, Thread, current_thread, main_thread

import pytest

from headcount.embedded import Workspace
from headcount.index.workspace import save_view
from headcount.model.errors import Reason, UserError
from headcount.query import evaluate
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.evaluate import Evaluation
from headcount.query.results import Results
from headcount.query.workers import ALONE, Workers
from headcount.rpc.config import load
from support.engines import context_at, members_of, view_of
from support.golden import blocks
from support.shop import AS_OF, SHOP

PATIENCE = 60.0  # seconds, for threads of a busy machine to meet
TEXTS = [text for text, _ in blocks(Path(__file__).parent / "golden" / "segments.txt")]
CONTEXT = context_at(AS_OF, "Europe/Berlin")
LONG = "did purchase then did email_open within 30 days"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every plan be long and every block large."""
    monkeypatch.setattr(evaluate, "_LARGE_BLOCK", 1)
    monkeypatch.setattr(evaluate, "_is_long", lambda _: True)


@pytest.fixture
def meeting() -> Iterator[Barrier]:
    """A place where two threads wait for each other."""
    barrier = Barrier(2)
    yield barrier
    barrier.abort()


# --- sharing out -------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_answers_are_in_the_order_of_the_items(threads: int) -> None:
    """Whoever worked on which item."""
    workers = Workers(threads)
    assert workers.each(lambda n: n * n, range(100)) == [n * n for n in range(100)]
    assert workers.each(str, []) == []
    assert workers.each(str, [7]) == ["7"]


def test_two_threads_are_at_work_at_once(meeting: Barrier) -> None:
    """Each of two items waits for the other to be begun: one thread would wait for ever."""

    def work(_: int) -> str:
        meeting.wait(PATIENCE)
        return current_thread().name

    assert len(set(Workers(2).each(work, range(2)))) == 2


def test_without_helpers_the_caller_does_everything() -> None:
    """One thread is what it was before there were workers."""
    assert set(ALONE.each(lambda _: current_thread(), range(5))) == {main_thread()}


@pytest.mark.parametrize("in_helper", [True, False])
def test_what_one_thread_raises_ends_the_work_of_both(in_helper: bool, meeting: Barrier) -> None:
    """The caller is told, wherever it was, and of a million items most are not begun."""
    begun, items = count(), 1_000_000

    def work(place: int) -> None:
        next(begun)
        if place < 2:
            meeting.wait(PATIENCE)
            if (current_thread() is not main_thread()) == in_helper:
                raise UserError(Reason.CANCELLED, "the client has cancelled the call")

    workers = Workers(2)
    with pytest.raises(UserError) as caught:
        workers.each(work, range(items))
    assert caught.value.reason is Reason.CANCELLED
    assert next(begun) < items
    assert workers.each(str, range(3)) == ["0", "1", "2"]


class Asking(Thread):
    """A caller in a thread of its own."""

    def __init__(self, workers: Workers, work: Callable[[int], None], items: range) -> None:
        super().__init__(daemon=True)
        self._call = workers, work, items

    def run(self) -> None:
        """Ask."""
        workers, work, items = self._call
        workers.each(work, items)


def test_who_comes_while_all_are_at_work_works_alone(meeting: Barrier) -> None:
    """Two callers of two threads: the second is not refused and does not wait for a helper."""
    inside, over = Barrier(3), Event()

    def hold(_: int) -> None:
        inside.wait(PATIENCE)
        over.wait(PATIENCE)

    workers = Workers(2)
    first = Asking(workers, hold, range(2))
    first.start()
    inside.wait(PATIENCE)  # the first caller and its helper are at work
    assert set(workers.each(lambda _: current_thread(), range(20))) == {current_thread()}
    over.set()
    first.join(PATIENCE)

    def meet(_: int) -> str:
        meeting.wait(PATIENCE)
        return current_thread().name

    assert len(set(workers.each(meet, range(2)))) == 2  # the helper is there again


# --- counts ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("block_rows", [1, 2, 3])
def test_counts_are_those_of_one_thread(block_rows: int) -> None:
    """Every golden segment, with and without remembered results, and asked again."""
    view = view_of(SHOP, block_rows)
    alone = Engine(view_of(SHOP))
    shared = Engine(view, workers=Workers(3))
    forgetful = Engine(view, Results(0), workers=Workers(2))
    for text in TEXTS:
        expected = len(members_of(alone, text, CONTEXT))
        for engine in (shared, shared, forgetful):
            assert engine.size(text, CONTEXT) == expected, text


@pytest.mark.usefixtures("small")
def test_a_wrong_helper_shows(monkeypatch: pytest.MonkeyPatch, meeting: Barrier) -> None:
    """Negative control: a helper that counts nothing makes another number."""

    def counted(self: Evaluation) -> int:
        return right(self) if current_thread() is main_thread() else -1

    right = Evaluation.count
    expected = Engine(view_of(SHOP)).size(LONG, CONTEXT)
    engine = Engine(view_of(SHOP, 1), Results(0), workers=Workers(2))
    assert engine.size(LONG, CONTEXT) == expected
    monkeypatch.setattr(Evaluation, "count", counted)
    first = count()

    def check() -> None:
        if next(first) < 2:  # so that both threads have a block
            meeting.wait(PATIENCE)

    context = QueryContext(CONTEXT.as_of, CONTEXT.zone, check=check)
    assert engine.size(LONG, context) != expected


@pytest.mark.usefixtures("small")
def test_a_deadline_ends_the_count_in_all_threads() -> None:
    """`check` is asked before each block, by whichever thread takes it."""
    asked = count(1)

    def check() -> None:
        if next(asked) > 3:
            raise UserError(Reason.DEADLINE_EXCEEDED, "the time for this call is over")

    view = view_of(SHOP, 1)
    assert len(view.blocks) > 5
    context = QueryContext(CONTEXT.as_of, CONTEXT.zone, check=check)
    engine = Engine(view, Results(0), workers=Workers(2))
    with pytest.raises(UserError) as caught:
        engine.size(LONG, context)
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED
    assert next(asked) <= 7  # three, and one that failed or two at once


def test_only_long_plans_over_large_blocks_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Algebra stays with the caller, and so does all that is asked of a small workspace."""
    threads = set()

    def counted(self: Evaluation) -> int:
        threads.add(current_thread())
        return right(self)

    right = Evaluation.count
    monkeypatch.setattr(Evaluation, "count", counted)
    view = view_of(SHOP, 1)
    engine = Engine(view, Results(0), workers=Workers(2))
    engine.size(LONG, CONTEXT)
    monkeypatch.setattr(evaluate, "_LARGE_BLOCK", 1)
    engine.size("country = US or plan = Pro or vip = true", CONTEXT)
    assert threads == {main_thread()}


@pytest.mark.usefixtures("small")
def test_newer_versions_and_saved_segments_keep_the_workers() -> None:
    """An engine that is made from another has the same helpers."""
    workers = Workers(2)
    engine = Engine(view_of(SHOP), workers=workers)
    other = view_of(SHOP, 2)
    assert engine.at(other).workers is workers  # another schema, as far as it knows
    assert engine.at(engine.view).workers is workers
    assert engine.with_saved(engine.known.saved).workers is workers


def test_how_many_threads_is_a_setting(tmp_path: Path) -> None:
    """Of a server and of a folder that is opened; the answers are the same."""
    assert load().calls.query_threads == 2
    assert load(flags={"calls.query_threads": 1}).calls.query_threads == 1
    save_view(tmp_path, "default", view_of(SHOP, 2))
    counts = set()
    for threads in (1, 2):
        with Workspace.open(tmp_path, threads=threads) as workspace:
            counts.add(workspace.count(LONG, as_of=AS_OF.astimezone(dt.UTC)))
    assert len(counts) == 1
