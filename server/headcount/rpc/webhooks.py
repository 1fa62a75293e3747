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

Nobody who may make a watch may thereby reach what only the server can. An address must be allowed
by the settings (`webhooks.allow`, host or host:port; nothing is by default), redirects are not
followed, and environment proxies are not used.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import random
import threading
from collections.abc import Callable, Sequence
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


class Post(Protocol):
    """Sends a body to an address; returns the status and the beginning of the answer."""

    def __call__(
        self, url: str, body: bytes, headers: dict[str, str], seconds: float
    ) -> tuple[int, str]: ...


def post(url: str, body: bytes, headers: dict[str, str], seconds: float) -> tuple[int, str]:
    """
    POST with the standard library: no redirects, no proxies, no cookies.

    Raises:
        OSError, http.client.HTTPException: nothing came back.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    assert parts.hostname is not None
    connection = kind(parts.hostname, parts.port, timeout=seconds)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_ERROR).decode(errors="replace")
    finally:
        connection.close()


def signature(secret: str, second: int, body: bytes) -> str:
    """Return the header that lets an endpoint tell that a body is ours, and from when."""
    signed = hmac.new(secret.encode(), f"{second}.".encode() + body, hashlib.sha256)
    return f"t={second},v1={signed.hexdigest()}"


@dataclass(eq=False, slots=True)
class _Attempts:
    """How often the transitions from `first` on were tried, and when they are next (seconds)."""

    first: int
    count: int = 0
    due: float = 0.0


class Webhooks:
    """
    Delivers for the watchers of all workspaces. `deliver` once, or in a thread from `start` on.

    *clock* gives seconds since 1970; *chance* a number from 0 to 1.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        watchers: Callable[[], Sequence[Watcher]],
        clock: Callable[[], float],
        *,
        send: Post = post,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._watchers = watchers
        self._clock = clock
        self._send = send
        self._chance = chance
        self._attempts: dict[tuple[str, int], _Attempts] = {}
        self._sending = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

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
        with self._sending:
            for watcher in self._watchers():
                for watch in watcher.watches():
                    if watch.spec.endpoint is not None and not self._closing.is_set():
                        taken += self._deliver(watcher, watch, watch.spec.endpoint)
        return taken

    def redeliver(self, watcher: Watcher, watch: Watch, ids: frozenset[int]) -> tuple[int, int]:
        """
        Send dead letters once more, all of them if *ids* is empty; return how many went and stay.

        What was pruned meanwhile cannot be sent: its letter stays.
        """
        letters = watcher.store.dead(watch.id)
        endpoint, delivered = watch.spec.endpoint, 0
        with self._sending:
            for letter in letters:
                if endpoint is None or (ids and letter.id not in ids):
                    continue
                found = watch.feed.after(letter.first - 1, letter.last - letter.first + 1)
                if not found or found[0].number != letter.first:
                    continue
                if self._tried(watcher, watch, endpoint, found) is None:
                    watcher.store.bury(letter.id)
                    delivered += 1
        return delivered, len(letters) - delivered

    def start(self) -> None:
        """Deliver in a thread of its own from now on, until `stop`."""
        self._thread = threading.Thread(target=self._run, name="headcount-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what was not delivered is after the next start."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._closing.is_set():
            if not self.deliver():
                self._closing.wait(self._settings.poll_seconds)

    def _deliver(self, watcher: Watcher, watch: Watch, endpoint: Endpoint) -> int:
        done = watcher.store.progress(watch.id).delivered
        done = max(done, watch.feed.oldest - 1)
        found = watch.feed.after(done, self._settings.transitions)
        if not found:
            return 0
        place = (watcher.workspace, watch.id)
        tries = self._attempts.get(place)
        if tries is None or tries.first != found[0].number:
            tries = self._attempts[place] = _Attempts(found[0].number)
        if self._clock() < tries.due:
            return 0
        error = self._tried(watcher, watch, endpoint, found)
        if error is None:
            watcher.store.delivered(watch.id, found[-1].number)
            del self._attempts[place]
            return 1
        tries.count += 1
        if tries.count >= self._settings.attempts:
            first, last = found[0].number, found[-1].number
            at = int(self._clock() * 1e6)
            watcher.store.give_up(DeadLetter(0, watch.id, first, last, tries.count, at, error))
            del self._attempts[place]
            return 0
        wait = min(self._settings.wait_seconds * 2 ** (tries.count - 1), self._settings.wait_max)
        tries.due = self._clock() + wait * (0.5 + self._chance())
        return 0

    def _tried(
        self, watcher: Watcher, watch: Watch, endpoint: Endpoint, found: Sequence[Transition]
    ) -> str | None:
        """Send some transitions; return what went wrong, None if nothing did."""
        try:
            self.check(endpoint)  # the settings may be others than when the watch was made
        except UserError as error:
            return error.message
        body = _body(watcher, watch, found)
        second = int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "headcount",
            "Headcount-Watch": watch.spec.name.encode("ascii", "replace").decode(),
            "Headcount-Signature": signature(endpoint.secret, second, body),
        }
        try:
            status, answer = self._send(endpoint.url, body, headers, self._settings.seconds)
        except (OSError, http.client.HTTPException) as error:
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
