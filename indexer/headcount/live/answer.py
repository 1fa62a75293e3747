"""
What a request was answered, as bytes: kept in the log, for when the request comes again.

Answers live longer than what they are about: they are carried into new segments for a day. So they
hold no value that somebody sent. Messages quote values in backticks, and are kept up to the first.
"""

from __future__ import annotations

import json

from headcount.index.view import Version
from headcount.live.commit import Written
from headcount.model.changes import Refusal
from headcount.model.errors import Reason

_JSON = json.JSONEncoder(separators=(",", ":"))


def encode(written: Written) -> bytes:
    """Return the answer as JSON, without what its messages quote."""
    refused = [[r.index, r.field, r.reason.value, _unquoted(r.message)] for r in written.refused]
    version = [written.version.epoch, written.version.sequence]
    held = {
        "version": version,
        "accepted": written.accepted,
        "repeated": written.repeated,
        "refused": refused,
    }
    return _JSON.encode(held).encode()


def decode(data: bytes) -> Written:
    """Return the answer that `encode` wrote, as one that was given already."""
    held = json.loads(data)
    refused = [
        Refusal(index, field, Reason(why), text) for index, field, why, text in held["refused"]
    ]
    return Written(
        version=Version(*held["version"]),
        accepted=held["accepted"],
        repeated=held["repeated"],
        refused=tuple(refused),
        already=True,
    )


def _unquoted(message: str) -> str:
    said, quote, _ = message.partition("`")
    return f"{said.rstrip()} …" if quote else message
