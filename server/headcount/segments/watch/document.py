"""
What a watch is, as it is kept: its segment, time zone and settings, and where it is delivered.

A document is JSON with a `format`. The segment is text: a saved one is `in segment "name"`, so that
a watch of it follows its definition as any other that names it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from headcount.model.errors import Reason, UserError
from headcount.query.limits import DEFAULT, Limits
from headcount.segments.watch.binding import Definition
from headcount.segments.watch.transitions import Reentry, Settings

_FORMAT = 1
MAX_NAME = 256  # bytes
PRIVATE = "\u0000"  # begins the names of watches that nobody named


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where transitions are POSTed, and the key that signs them."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Spec:
    """A watch: what it is called, what it watches and how, and since when (µs)."""

    name: str
    text: str
    zone: str
    settings: Settings
    created_at: int
    endpoint: Endpoint | None = None

    @property
    def is_private(self) -> bool:
        """Whether it was made for a stream of a segment, and goes some time after the last one."""
        return self.name.startswith(PRIVATE)

    def definition(self, limits: Limits = DEFAULT) -> Definition:
        """Return what it watches."""
        return Definition(self.text, ZoneInfo(self.zone), limits)

    def to_document(self) -> str:
        """Return it as it is kept, without its name."""
        found: dict[str, Any] = {
            "format": _FORMAT,
            "text": self.text,
            "zone": self.zone,
            "seed": self.settings.seed,
            "reentry": str(self.settings.reentry),
            "pause": self.settings.pause,
            "created_at": self.created_at,
        }
        if self.endpoint is not None:
            found["endpoint"] = {"url": self.endpoint.url, "secret": self.endpoint.secret}
        return json.dumps(found, ensure_ascii=False)

    @classmethod
    def from_document(cls, name: str, document: str) -> Spec:
        """
        Return the watch that `to_document` wrote.

        Raises:
            KeyError, TypeError, ValueError: it did not.
        """
        found = json.loads(document)
        if found["format"] != _FORMAT:
            raise ValueError(f"format {found['format']}")
        endpoint = found.get("endpoint")
        return cls(
            name=name,
            text=found["text"],
            zone=found["zone"],
            settings=Settings(found["seed"], Reentry(found["reentry"]), found["pause"]),
            created_at=found["created_at"],
            endpoint=None if endpoint is None else Endpoint(endpoint["url"], endpoint["secret"]),
        )


def check_name(name: str) -> str:
    """
    Return a name that a watch may have.

    Raises:
        UserError: it is empty, too long, or begins with a control character.
    """
    size = len(name.encode(errors="surrogatepass"))
    if not name.strip() or size > MAX_NAME or not name.isprintable():
        raise UserError(
            Reason.INVALID_VALUE,
            f"expected a name of 1 to {MAX_NAME} bytes that can be printed, found {name!r}",
            field="name",
        )
    return name


def check_settings(settings: Settings) -> None:
    """
    Refuse a pause without its rule, or a rule without its pause.

    Raises:
        UserError: it is so.
    """
    if (settings.reentry is Reentry.AFTER) != (settings.pause > 0):
        raise UserError(
            Reason.INVALID_VALUE,
            "expected a pause above 0 with re-entry `after`, and none otherwise;"
            f" found {settings.pause / 1e6:g} s with `{settings.reentry}`",
            field="pause",
        )
