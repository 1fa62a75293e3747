"""
Page tokens: where the next page of a listing begins, and of what listing.

    base64url( format 1 B | digest of the request 16 B | as_of 8 B | epoch 8 B | sequence 8 B |
               ordinal 8 B | CRC-32 4 B )        little-endian

A token holds for one request, one instant and one version: the digest covers workspace, query and
fields, so that a token cannot quietly continue another listing, and `as_of` is in it, so that all
pages are of one moment although the first request named none. The CRC tells a token that was cut
or mistyped from one of another request. It grants nothing: whoever has one could ask the same
from the start, so it is not signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from headcount.index.view import Version
from headcount.model.errors import Reason, UserError

_FORMAT = 1
_LAYOUT = struct.Struct("<B16sqQQQ")
_CRC = struct.Struct("<I")
_LENGTH = (_LAYOUT.size + _CRC.size + 2) // 3 * 4  # in base64


@dataclass(frozen=True, slots=True)
class PageToken:
    """The next page begins at `ordinal`; `as_of` is in µs since 1970 UTC."""

    digest: bytes
    as_of: int
    version: Version
    ordinal: int

    def encode(self) -> str:
        """Return the token as text."""
        body = _LAYOUT.pack(
            _FORMAT,
            self.digest,
            self.as_of,
            self.version.epoch,
            self.version.sequence,
            self.ordinal,
        )
        return base64.urlsafe_b64encode(body + _CRC.pack(zlib.crc32(body))).decode()


def digest(workspace: str, query: bytes, fields: Sequence[str]) -> bytes:
    """
    Return 16 bytes that stand for a listing, whichever page of it is asked for.

    *query* is any encoding of the query, its instant and zone.
    """
    hashed = hashlib.blake2b(digest_size=16)
    for part in (workspace.encode(), query, *(name.encode() for name in fields)):
        hashed.update(len(part).to_bytes(8, "little") + part)
    return hashed.digest()


def decode(text: str, request: bytes, version: Version) -> PageToken:
    """
    Return the token of *text* for the listing with the digest *request*.

    Raises:
        UserError: as `read` does; or the token is for a version other than *version*.
    """
    token = read(text, request)
    if token.version != version:
        raise outdated(token, version)
    return token


def read(text: str, request: bytes) -> PageToken:
    """
    Return the token of *text* for the listing with the digest *request*, of whatever version.

    Raises:
        UserError: it is not a token of ours, or is one of another listing.
    """
    token = _read(text)
    if token is None:
        raise UserError(
            Reason.INVALID_VALUE,
            "expected the next_page_token of an earlier answer, unchanged; found something else",
            field="page_token",
        )
    if token.digest != request:
        raise UserError(
            Reason.INVALID_VALUE,
            "this token continues another listing; send the workspace, query and fields of the"
            " request it came from, or leave it out to begin anew",
            field="page_token",
        )
    return token


def outdated(token: PageToken, version: Version) -> UserError:
    """Return the error for a token of a version that is not there any more."""
    return UserError(
        Reason.CONFLICT,
        f"the version that the first page was taken from is not kept any more ({token.version}; now"
        f" it is {version}); leave the token out to begin anew, and ask for the pages sooner, or"
        " stream the members",
        field="page_token",
    )


def _read(text: str) -> PageToken | None:
    if len(text) != _LENGTH:
        return None
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _LAYOUT.size + _CRC.size:
        return None
    body = raw[: _LAYOUT.size]
    kind, request, as_of, epoch, sequence, ordinal = _LAYOUT.unpack(body)
    if kind != _FORMAT or _CRC.unpack(raw[_LAYOUT.size :]) != (zlib.crc32(body),):
        return None
    return PageToken(request, as_of, Version(epoch, sequence), ordinal)
