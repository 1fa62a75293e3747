"""Health that cannot hang the server."""

from __future__ import annotations

import threading

from headcount.rpc.health import Health


def test_a_watcher_that_leaves_waits_for_nobody() -> None:
    """
    The thread that serves gRPC's events goes on while a status is being sent.

    Sending waits for that thread, so it must not wait for the lock that is held while sending.
    """
    servicer = Health(["a.Service"])._watched
    told = threading.Event()

    def watcher(response: object) -> None:
        assert response is None
        told.set()

    servicer._send_response_callbacks["a.Service"] = {watcher}
    with servicer._lock:  # a status is being sent
        events = threading.Thread(target=servicer._on_close_callback(watcher, "a.Service"))
        events.start()
        events.join(timeout=20)
        assert not events.is_alive()
        assert not told.is_set()
    assert told.wait(timeout=20)
    assert not servicer._send_response_callbacks["a.Service"]
