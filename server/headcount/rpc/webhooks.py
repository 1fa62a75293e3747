"""
Webhooks: the transitions of named watches, POSTed as JSON to where they say.

    POST /path
    Headcount-Watch: vip
    Headcount-Signature: t=1780000000,v1=<hex of HMAC-SHA256(secret, "1780000000." + body)>
    {"workspace": "default", "watch": "vip", "token": "...", "transitions": [{...}, ...]}

At least once and in order: the next ones are sent when the endpoint has taken these, with a status
from 200 to 299. Otherwise they are tried again, after a wait that doubles each time and is made a
little random, so that many endpoints do not come back at once. After so many attempts they are a
dead letter, kept until somebody redelivers it, and the next ones go out: one bad message does not
hold up all others for ever.

One thread looks for what is due, some others send it, each for one watch at a time: an endpoint
that is slow, or never ends its answer, holds up nobody but itself, and no longer than an attempt
may last. Watches come and go meanwhile; of one that is gone nothing more is sent or noted.

Nobody who may make a watch may thereby reach what only the server can. An address must be allowed
by the settings (`webhooks.allow`, host or host:port; nothing is by default), redirects are not
followed, and environment proxies are not used.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import queue
import random
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from headcount.model.errors import Reason, UserError
from headcount.query.clock import to_datetime
from headcount.rpc.config import WebhookSettings
from headcount.segments.watch.document import Endpoint
from headcount.segments.watch.opening import Watch
from headcount.segments.watch.transitions import Transition
from headcount.segments.watch.watcher import Watcher
from headcount.storage.watches import DeadLetter

_ERROR = 300  # code points of an answer that are kept
_MAX_URL = 2048
_IN_A_ROW = 20  # messages to one endpoint before another has a turn


class Post(Protocol):
    """Sends a body to an address; returns the status and the beginning of the answer."""

    def __call__(
        self, url: str, body: bytes, headers: dict[str, str], seconds: float
    ) -> tuple[int, str]: ...


def post(url: str, body: bytes, headers: dict[str, str], seconds: float) -> tuple[int, str]:
    """
    POST with the standard library: no redirects, no proxies, no cookies.

    *seconds* are for connecting, and for all that follows.

    Raises:
        OSError, http.client.HTTPException, ValueError: nothing came back.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    assert parts.hostname is not None
    connection = kind(parts.hostname, parts.port, timeout=seconds)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.connect()
        with _cut_after(seconds, connection.sock):
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_ERROR).decode(errors="replace")
    finally:
        connection.close()


@contextmanager
def _cut_after(seconds: float, connected: socket.socket) -> Iterator[None]:
    """End a connection on which a byte now and then would keep the time-out away for ever."""
    over = threading.Event()

    def cut() -> None:
        over.set()
        with suppress(OSError):  # it has ended by itself
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    cause: Exception | None = None
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        cause = error
    finally:
        timer.cancel()
    if over.is_set():  # half of an answer may have been taken for a whole one
        raise TimeoutError(f"no whole answer within {seconds:g} s") from cause
    if cause is not None:
        raise cause


def signature(secret: str, second: int, body: bytes) -> str:
    """Return the header that lets an endpoint tell that a body is ours, and from when."""
    signed = hmac.new(secret.encode(), f"{second}.".encode() + body, hashlib.sha256)
    return f"t={second},v1={signed.hexdigest()}"


@dataclass(eq=False, slots=True)
class _Route:
    """
    The way of one watch to its endpoint: what went out on it, what did not.

    Transitions up to `done` were taken or given up; None before that was read. Those from `first`
    on were tried `count` times, and are next at `due` (seconds).
    """

    watcher: Watcher
    watch: Watch
    endpoint: Endpoint
    sending: threading.Lock
    done: int | None = None
    first: int = 0
    count: int = 0
    due: float = 0.0


class Webhooks:
    """
    Delivers for the watchers of all workspaces. `deliver` once, or in threads from `start` on.

    *clock* gives seconds since 1970; *chance* a number from 0 to 1. *report* is told of errors that
    are not an endpoint's; what was to be sent is tried again.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        watchers: Callable[[], Sequence[Watcher]],
        clock: Callable[[], float],
        *,
        report: Callable[[Exception], None] = lambda _: None,
        send: Post = post,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._watchers = watchers
        self._clock = clock
        self._report = report
        self._send = send
        self._chance = chance
        self._routes: dict[Watch, _Route] = {}
        self._looking = threading.Lock()  # held while routes are looked for
        self._due: queue.SimpleQueue[_Route | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    def check(self, endpoint: Endpoint) -> None:
        """
        Refuse an endpoint that may not be reached.

        Raises:
            UserError: it is no http(s) address, has no secret, or the settings do not allow it.
        """
        parts, port = _parts(endpoint.url)
        host = (parts.hostname or "").lower()
        allowed = {one.strip().lower() for one in self._settings.allow.split(",") if one.strip()}
        if host not in allowed and f"{host}:{port}" not in allowed:
            raise UserError(
                Reason.INVALID_VALUE,
                f"{host}:{port} is not among the addresses that watches may deliver to; the"
                " server's setting webhooks.allow lists them, as host or host:port",
                field="endpoint.url",
            )
        if not endpoint.secret:
            raise UserError(
                Reason.INVALID_VALUE,
                "expected a secret, which signs what is delivered; found none",
                field="endpoint.secret",
            )

    def deliver(self) -> int:
        """Send what is due, one message of each watch; return how many were taken."""
        taken = 0
        for route in self._wanting():
            try:
                taken += self._deliver(route)
            finally:
                route.sending.release()
        return taken

    def redeliver(self, watcher: Watcher, watch: Watch, ids: frozenset[int]) -> tuple[int, int]:
        """
        Send dead letters once more, all of them if *ids* is empty; return how many went and stay.

        What was pruned meanwhile cannot be sent: its letter stays. Waits while other messages of
        the watch are sent.
        """
        route, delivered = self._route(watcher, watch), 0
        if route is None:
            return 0, len(watcher.store.dead(watch.id))
        with route.sending:
            letters = watcher.store.dead(watch.id)
            for letter in letters:
                if ids and letter.id not in ids:
                    continue
                found = watch.feed.after(letter.first - 1, letter.last - letter.first + 1)
                if not found or found[0].number != letter.first:
                    continue
                if self._tried(route, found) is None:
                    watcher.store.bury(letter.id)
                    delivered += 1
        return delivered, len(letters) - delivered

    def start(self) -> None:
        """Deliver in threads of its own from now on, until `stop`."""
        self._threads = [
            threading.Thread(target=target, name=f"headcount-webhooks-{at}", daemon=True)
            for at, target in enumerate([self._look, *[self._work] * self._settings.threads])
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """
        Send nothing more; what was not delivered is after the next start.

        Does not wait for endpoints: what one takes now and is not noted, it gets once more then.
        """
        self._closing.set()
        for _ in range(self._settings.threads):
            self._due.put(None)
        if self._threads:
            self._threads[0].join()

    def _look(self) -> None:
        """Look for what is due, again and again."""
        while not self._closing.wait(self._settings.poll_seconds):
            for route in self._wanting():
                self._due.put(route)

    def _work(self) -> None:
        """Send what is due."""
        while (route := self._due.get()) is not None:
            try:
                for _ in range(_IN_A_ROW):
                    if self._closing.is_set() or not self._deliver(route):
                        break
            finally:
                route.sending.release()

    def _wanting(self) -> Iterator[_Route]:
        """Yield the routes that something is due on, each taken by us until it is released."""
        with self._looking:
            watched = [
                (watcher, watch)
                for watcher in self._watchers()
                for watch in watcher.watches()
                if watch.spec.endpoint is not None
            ]
            there = {watch for _, watch in watched}
            for watch in self._routes.keys() - there:
                del self._routes[watch]
        now = self._clock()
        for watcher, watch in watched:
            route = self._route(watcher, watch)
            if route is None or self._closing.is_set():
                continue
            nothing = route.done is not None and watch.feed.bookmark.number <= route.done
            if not nothing and now >= route.due and route.sending.acquire(blocking=False):
                yield route

    def _route(self, watcher: Watcher, watch: Watch) -> _Route | None:
        """Return the way of a watch to its endpoint, if it has one."""
        endpoint = watch.spec.endpoint
        if endpoint is None:
            return None
        with self._looking:
            found = self._routes.get(watch)
            if found is None or found.endpoint is not endpoint:
                found = _Route(watcher, watch, endpoint, threading.Lock())
                self._routes[watch] = found
            return found

    def _deliver(self, route: _Route) -> bool:
        """Send the next message of a route that is ours; return whether it was taken."""
        try:
            return self._sent(route)
        except UserError:  # the watch is gone, or the disk is full: it is sent again, if at all
            route.due = self._clock() + self._settings.wait_seconds
        except Exception as error:  # no endpoint's fault, and no reason to send nobody anything
            route.due = self._clock() + self._settings.wait_max
            self._report(error)
        return False

    def _sent(self, route: _Route) -> bool:
        watch, store = route.watch, route.watcher.store
        done = store.delivered_to(watch.id)
        route.done = done = max(done, watch.feed.oldest - 1)
        found = watch.feed.after(done, self._settings.transitions)
        if not found:
            return False
        first, last = found[0].number, found[-1].number
        if route.first != first:
            route.first, route.count, route.due = first, 0, 0.0
        error = self._tried(route, found)
        if error is None:
            store.delivered(watch.id, last)
            route.done = last
            return True
        route.count += 1
        if route.count >= self._settings.attempts:
            at = int(self._clock() * 1e6)
            store.give_up(DeadLetter(0, watch.id, first, last, route.count, at, error))
            route.done = last
            return False
        wait = min(self._settings.wait_seconds * 2 ** (route.count - 1), self._settings.wait_max)
        route.due = self._clock() + wait * (0.5 + self._chance())
        return False

    def _tried(self, route: _Route, found: Sequence[Transition]) -> str | None:
        """Send some transitions; return what went wrong, None if nothing did."""
        endpoint, watch = route.endpoint, route.watch
        try:
            self.check(endpoint)  # the settings may be others than when the watch was made
        except UserError as error:
            return error.message
        body = _body(route.watcher, watch, found)
        second = int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "headcount",
            "Headcount-Watch": watch.spec.name.encode("ascii", "replace").decode(),
            "Headcount-Signature": signature(endpoint.secret, second, body),
        }
        try:
            status, answer = self._send(endpoint.url, body, headers, self._settings.seconds)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return f"{type(error).__name__}: {error}"[:_ERROR]
        return None if 200 <= status < 300 else f"status {status}: {answer}"[:_ERROR]


def _parts(url: str) -> tuple[SplitResult, int]:
    """
    Return the parts of an address, and its port.

    Raises:
        UserError: it is none that can be POSTed to.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    printable = url.isascii() and url.isprintable() and " " not in url
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username is not None
        or len(url) > _MAX_URL
        or not printable
    ):
        raise UserError(
            Reason.INVALID_VALUE,
            "expected an address such as https://example.com/hook, without a user; found another",
            field="endpoint.url",
        )
    return parts, port or (443 if parts.scheme == "https" else 80)


def _body(watcher: Watcher, watch: Watch, found: Sequence[Transition]) -> bytes:
    """Return the message of some transitions."""
    document = {
        "workspace": watcher.workspace,
        "watch": watch.spec.name,
        "token": watcher.token(watch, found[-1].number),
        "transitions": [
            {
                "number": one.number,
                "contact": one.contact,
                "kind": str(one.kind),
                "reason": str(one.reason),
                "at": to_datetime(one.at).isoformat().replace("+00:00", "Z"),
                "version": str(one.version),
            }
            for one in found
        ],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
