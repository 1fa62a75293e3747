"""
The manifest: which generation of each workspace is live, and what its bytes must sum to.

One JSON file for the whole data folder. Replacing it is the commit point: before, the old
generation is live; after, the new one. It is valid JSON, so that people and tools can read it, and
its first member is the checksum of every byte behind it:

    {"crc32": "5f0e1c9a",⏎ "format": 3,⏎ "workspaces": {...}⏎}⏎
    └──── checked ──────┘└───────── summed ─────────────────┘

This beginning, and `format`, stay the same in every format version, so that an older Headcount can
tell a newer folder from a damaged one. A file per workspace was rejected: one commit could then not
cover two workspaces, and losing a file would look like having deleted a workspace.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import files
from headcount.storage.checksums import chunk_count
from headcount.storage.folder import MANIFEST, check_name, missing_manifest, refuse_foreign

FORMAT = 3  # of the whole folder; only rises. Each value is described in FORMAT.md

_HEAD = '{"crc32": "%08x",'
_HEAD_BYTES = len(_HEAD % 0)
_HEAD_SHAPE = re.compile(rb'\{"crc32": "[0-9a-f]{8}",')
_RESTORE = "restore the whole data folder from a copy"
_UNKNOWN_OUTCOME = (
    "the change took effect, but a power cut may undo it; look what is stored before writing again"
)


@dataclass(frozen=True, slots=True)
class Generation:
    """
    One generation of a workspace: its number, and what its file must be.

    `sums` are the CRC-32 of each `chunk_bytes` of the `size` bytes; the last chunk may be shorter.
    """

    number: int
    size: int
    chunk_bytes: int
    sums: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The live generation of every workspace, by name."""

    workspaces: Mapping[str, Generation] = field(default_factory=dict)

    def replacing(self, workspace: str, generation: Generation) -> Manifest:
        """Return a manifest in which *generation* is the live one of *workspace*."""
        return Manifest({**self.workspaces, workspace: generation})

    def without(self, workspace: str) -> Manifest:
        """Return a manifest in which there is no *workspace*."""
        return Manifest({n: live for n, live in self.workspaces.items() if n != workspace})


def render(manifest: Manifest) -> bytes:
    """Return the manifest's bytes; equal manifests give equal bytes."""
    workspaces = {
        name: {
            "generation": live.number,
            "bytes": live.size,
            "chunk_bytes": live.chunk_bytes,
            "chunk_crc32": " ".join(f"{s:08x}" for s in live.sums),
        }
        for name, live in sorted(manifest.workspaces.items())
    }
    body = json.dumps({"format": FORMAT, "workspaces": workspaces}, indent=1)
    rest = body.removeprefix("{").encode() + b"\n"
    return (_HEAD % zlib.crc32(rest)).encode() + rest


def parse(data: bytes, path: Path) -> Manifest:
    """
    Return the manifest that *data*, the content of *path*, spells.

    Raises:
        CorruptionError: a byte is not what was written, or this never was a manifest.
        UserError: UNSUPPORTED, when a newer Headcount wrote it.
    """
    head, rest = data[:_HEAD_BYTES], data[_HEAD_BYTES:]
    if not _HEAD_SHAPE.fullmatch(head):
        raise CorruptionError(
            path,
            f"expected it to begin with its checksum, found {head[:24]!r}: damaged, or not written "
            f"by Headcount; {_RESTORE}, or name another folder",
            offset=0,
        )
    if head != (_HEAD % zlib.crc32(rest)).encode():
        raise CorruptionError(
            path, f"its bytes do not match its checksum; {_RESTORE}", offset=_HEAD_BYTES
        )
    try:
        document = json.loads(data)
        refuse_newer(path, int(document["format"]))
        workspaces = {check_name(n): _generation(e) for n, e in document["workspaces"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptionError(
            path,
            f"its checksum is right but it is no manifest of format {FORMAT} ({error!r}): "
            f"changed by something other than Headcount; {_RESTORE}",
            offset=0,
        ) from error
    return Manifest(workspaces)


def _generation(entry: Mapping[str, Any]) -> Generation:
    number, size, chunk = (int(entry[key]) for key in ("generation", "bytes", "chunk_bytes"))
    sums = tuple(int(text, 16) for text in entry["chunk_crc32"].split())
    if number < 1 or size < 0 or chunk < 1 or len(sums) != chunk_count(size, chunk):
        raise ValueError(f"impossible numbers in generation {number}")
    return Generation(number, size, chunk, sums)


def refuse_newer(path: Path, found: int) -> None:
    """Raise UserError (UNSUPPORTED) when *found* is a format that this version cannot read."""
    if found > FORMAT:
        raise UserError(
            Reason.UNSUPPORTED,
            f"{path} is of format {found}, written by a newer Headcount; this one reads up to "
            f"format {FORMAT}. Upgrade Headcount",
        )
    if found < 1:
        raise ValueError(f"format {found}")


def read(folder: Path) -> Manifest:
    """
    Return the manifest of a data folder.

    Raises:
        CorruptionError: it is damaged, or missing though there are workspaces.
        UserError: NOT_FOUND when this is no data folder, UNSUPPORTED when it is of a newer format.
    """
    path = folder / MANIFEST
    with files.explained(path):
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise missing_manifest(folder) from None
    return parse(data, path)


def list_workspaces(folder: Path) -> tuple[str, ...]:
    """Return the names of the workspaces in a data folder, sorted; errors as for `read`."""
    return tuple(sorted(read(folder).workspaces))


def begin(folder: Path) -> Manifest:
    """
    Return the manifest of a folder that is about to be written; a new folder gets an empty one.

    The empty one goes first, so that a folder with workspaces and no manifest is known to be
    damaged. The caller holds the writer's lock.
    """
    if not (folder / MANIFEST).exists():
        refuse_foreign(folder)
        prepare(folder, Manifest())
        publish(folder, files.UNCHANGED)
    return read(folder)


def prepare(folder: Path, manifest: Manifest) -> None:
    """Write *manifest* beside the one that counts, durably; the caller holds the writer's lock."""
    files.write_beside(folder / MANIFEST, render(manifest))


def publish(folder: Path, unknown_outcome: str = _UNKNOWN_OUTCOME) -> None:
    """
    Make the prepared manifest the one that counts, durably: the commit point of every write.

    An error of the last step (the folder's sync) leaves an outcome that only a restart shows;
    *unknown_outcome* says so in its message.
    """
    path = folder / MANIFEST
    files.rename(files.beside(path), path)
    files.sync_folder(folder, unknown_outcome)
