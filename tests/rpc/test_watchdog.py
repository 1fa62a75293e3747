"""The watchdog ends what waits too long, and nothing else."""

from __future__ import annotations

import threading

from headcount.rpc.watchdog import Watchdog


class Waiting:
    """A call that waits until it is ended."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def cancel(self) -> None:
        """End the wait."""
        self.ended.set()


def test_a_wait_over_its_time_is_ended() -> None:
    """The late wait is cancelled and marked; one with time left goes on."""
    watchdog = Watchdog()
    late, patient = Waiting(), Waiting()
    with watchdog.limit(patient, 60) as other, watchdog.limit(late, 0.001) as wait:
        assert late.ended.wait(10)
        assert wait.expired
        assert not other.expired
    assert not patient.ended.is_set()
    watchdog.stop()


def test_a_wait_that_is_over_is_forgotten() -> None:
    """A block that was left in time is not ended afterwards."""
    watchdog = Watchdog()
    early, late = Waiting(), Waiting()
    with watchdog.limit(early, 0.001):
        pass
    with watchdog.limit(late, 0.001):
        assert late.ended.wait(10)
    assert not early.ended.is_set()
    watchdog.stop()
