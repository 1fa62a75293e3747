"""
Resume tokens: after which transition of which watch a stream goes on.

    base64url( format 1 B | digest of workspace and watch 8 B | number 8 B | CRC-32 4 B )

The digest covers when the watch was made, so a token of a watch that was deleted does not fit one
of the same name. A token grants nothing, so it is not signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import zlib

from headcount.model.errors import Reason, UserError

_FORMAT = 1
_LAYOUT = struct.Struct("<B8sQ")
_CRC = struct.Struct("<I")


def encode(workspace: str, watch: str, created_at: int, number: int) -> str:
    """Return the token behind transition *number*."""
    body = _LAYOUT.pack(_FORMAT, _digest(workspace, watch, created_at), number)
    return base64.urlsafe_b64encode(body + _CRC.pack(zlib.crc32(body))).decode()


def decode(token: str, workspace: str, watch: str, created_at: int) -> int:
    """
    Return the number that a token stands behind.

    Raises:
        UserError: it is none of ours, or of another watch.
    """
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
        body, crc = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        kind, digest, number = _LAYOUT.unpack(body)
        whole = kind == _FORMAT and _CRC.unpack(crc) == (zlib.crc32(body),)
    except (binascii.Error, ValueError, struct.error):
        whole = False
    if not whole:
        raise UserError(
            Reason.INVALID_VALUE,
            "expected a token that a watch gave out, unchanged; found something else",
            field="token",
        )
    if digest != _digest(workspace, watch, created_at):
        raise UserError(
            Reason.INVALID_VALUE,
            "this token is of another watch, or of one that was deleted since; leave it out to"
            " begin with what happens from now on",
            field="token",
        )
    return int(number)


def _digest(workspace: str, watch: str, created_at: int) -> bytes:
    named = "\0".join((workspace, watch, str(created_at)))
    return hashlib.blake2b(named.encode(errors="surrogatepass"), digest_size=8).digest()
