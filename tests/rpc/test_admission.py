"""Lanes count what is in them, whatever becomes of it."""

from __future__ import annotations

import math
import threading
from concurrent.futures import wait

import pytest

from headcount.rpc import admission
from headcount.rpc.admission import Lane


def test_a_lane_is_full_when_no_more_may_wait() -> None:
    """Calls worked on and calls waiting both count; ended and cancelled ones do not."""
    lane = Lane("test", threads=2, waiting=1)
    go = threading.Event()
    calls = [lane.submit(go.wait, 10) for _ in range(2)]
    assert not lane.full
    waiting = lane.submit(go.wait, 10)
    assert lane.full
    assert waiting.cancel()
    assert lane.load == 2
    go.set()
    wait(calls)
    lane.shutdown()
    assert lane.load == 0


def test_a_lane_knows_since_when_it_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers give way while it is not, and a moment after."""
    lane = Lane("test", threads=1, waiting=0)
    assert lane.lull() == math.inf
    go, now = threading.Event(), 100.0
    monkeypatch.setattr(admission.time, "monotonic", lambda: now)
    call = lane.submit(go.wait, 10)
    assert lane.lull() == 0
    go.set()
    assert call.result()
    lane.shutdown()
    now = 103.0
    assert lane.lull() == 3


def test_a_call_that_fails_leaves_the_lane() -> None:
    """A raised exception does not keep a place."""
    lane = Lane("test", threads=1, waiting=0)
    with pytest.raises(ZeroDivisionError):
        lane.submit(divmod, 1, 0).result()
    lane.shutdown()
    assert lane.load == 0
    with pytest.raises(RuntimeError):
        lane.submit(divmod, 1, 1)
    assert lane.load == 0


def test_what_is_to_be_done_afterwards_is_done_when_a_call_has_ended() -> None:
    """Whether it returns or raises, in its thread; at once where there is no call."""
    lane = Lane("test", threads=1, waiting=2)
    go = threading.Event()
    done: list[tuple[str, int, int]] = []

    def note(name: str) -> None:
        done.append((name, threading.get_ident(), lane.load))

    def work(name: str, divisor: int) -> int:
        assert go.wait(10)
        lane.afterwards(lambda: note(name))
        assert name not in [each for each, _, _ in done]
        return threading.get_ident() // divisor

    first, *_ = [lane.submit(work, *each) for each in (("good", 1), ("bad", 0), ("last", 1))]
    go.set()
    thread = first.result()
    lane.shutdown()
    assert done == [("good", thread, 2), ("bad", thread, 1), ("last", thread, 0)]
    lane.afterwards(lambda: note("here"))
    assert done[-1] == ("here", threading.get_ident(), 0)


def test_a_call_that_has_ended_before_anybody_follows_it_leaves_nothing_undone() -> None:
    """Beginning a thread waits for it, and it may have done its first call by then."""
    done: list[int] = []
    for number in range(20):
        lane = Lane("test", threads=1, waiting=0)
        lane.submit(lane.afterwards, lambda number=number: done.append(number))
        lane.shutdown()
        assert lane.load == 0
    assert done == list(range(20))
