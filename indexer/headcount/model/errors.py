"""
The kinds of error, told apart by what the caller does next.

* `UserError`: fix the request. Carries a reason code, the place, what was expected and the nearest
  known names. Never logged as a fault.
* `CorruptionError`: the stored data is damaged. Carries the file and, where known, the part of it.
  Restore from a copy; nothing is guessed around.
* `UnknownOutcomeError`: a write failed in a way that only a restart can judge. Take no more writes,
  end the process, and recover.
* Everything else is a bug of ours, raised as an `AssertionError` or whatever Python raises.

The engine knows no status codes: `headcount.rpc.status` holds the one table that maps these to
gRPC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Reason(StrEnum):
    """Why a request was refused. Stable: clients switch on these."""

    SYNTAX = "SYNTAX"  # the text, message or file is not of the expected form
    UNKNOWN_NAME = "UNKNOWN_NAME"  # a field, event, list, label, segment, property or function
    TYPE_MISMATCH = "TYPE_MISMATCH"  # an operator or value that does not fit the type
    INVALID_VALUE = "INVALID_VALUE"  # right type, impossible value (31 February, 120 %)
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"  # larger, deeper or longer than a setting allows
    INVALID_SCHEMA = "INVALID_SCHEMA"  # the schema contradicts itself or the data
    INVALID_FILE = "INVALID_FILE"  # a data file that cannot be read as what it says it is
    NOT_FOUND = "NOT_FOUND"  # a workspace, contact or data folder that does not exist
    ALREADY_EXISTS = "ALREADY_EXISTS"
    CONFLICT = "CONFLICT"  # the folder is in use, or the state forbids the call
    UNSUPPORTED = "UNSUPPORTED"  # a part of the language or API that this build does not have
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    CANCELLED = "CANCELLED"
    DISK_FULL = "DISK_FULL"  # too little free space to accept writes; nothing was changed
    OVERLOADED = "OVERLOADED"  # too many calls at once; try again later
    TOO_OLD = "TOO_OLD"  # a resume token from before what is kept; the oldest one is suggested
    STALE_READ = "STALE_READ"  # the client has seen a newer version than this server holds


class HeadcountError(Exception):
    """The root of the errors that Headcount raises on purpose."""


_WIDEST = 160  # code points of a line that is shown whole
_AROUND = 40  # of a longer one, before the place


@dataclass(frozen=True, slots=True)
class Position:
    """
    A place in a segment's text.

    `line` and `column` count from 1, in Unicode code points; `source` is the whole line, for the
    caret; `length` is at least 1 and does not run past the line.
    """

    line: int
    column: int
    length: int
    source: str

    @classmethod
    def at(cls, text: str, start: int, end: int) -> Position:
        """Return the position of `text[start:end]`; *start* may be the end of the text."""
        start = min(max(start, 0), len(text))
        line_start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", start)
        if line_end < 0:
            line_end = len(text)
        return cls(
            line=text.count("\n", 0, start) + 1,
            column=start - line_start + 1,
            length=max(1, min(end, line_end) - start),
            source=text[line_start:line_end],
        )

    def caret(self) -> str:
        """
        Return the source line with carets under the place, as two lines.

        Of a line that is longer than a terminal is wide, only what stands around the place.
        """
        start = self.column - 1
        before, after = self.source[:start], self.source[start:]
        carets = self.length
        if len(self.source) > _WIDEST:
            if len(before) > _AROUND:
                before = "..." + before[-_AROUND:]
            if len(after) > _WIDEST - _AROUND:
                after = after[: _WIDEST - _AROUND] + "..."
                carets = min(carets, _WIDEST - _AROUND)
        padding = "".join("\t" if c == "\t" else " " for c in before)
        return f"{before}{after}\n{padding}{'^' * carets}"


class UserError(HeadcountError):
    """
    The request cannot be answered as it stands; the message says how to mend it.

    `field` is a path into a request message or file (`queries[3].text`,
    `contacts.csv:17:birthday`), where the place is not in a segment's text. `suggestions` are known
    names, nearest first.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        position: Position | None = None,
        field: str | None = None,
        suggestions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.position = position
        self.field = field
        self.suggestions = suggestions

    def __str__(self) -> str:
        """Return the message, what may have been meant, and the place with a caret."""
        text = self.message
        if self.suggestions:
            names = " or ".join(f"`{name}`" for name in self.suggestions)
            text += f"; did you mean {names}?"
        if self.field is not None:
            text += f" (at {self.field})"
        if self.position is not None:
            text += f"\nline {self.position.line}, column {self.position.column}:\n"
            text += "\n".join("  " + line for line in self.position.caret().splitlines())
        return text


class CorruptionError(HeadcountError):
    """
    Stored data does not match its checksum, or cannot be what was written.

    `part` names what is damaged in the reader's words: "block 3, field country, postings".
    """

    def __init__(
        self, path: Path, message: str, *, offset: int | None = None, part: str | None = None
    ) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.offset = offset
        self.part = part

    def __str__(self) -> str:
        """Return the file, the offset and part where known, and what is wrong."""
        place = str(self.path)
        if self.offset is not None:
            place += f" at byte {self.offset}"
        if self.part is not None:
            place += f" ({self.part})"
        return f"{place}: {self.message}"


class UnknownOutcomeError(HeadcountError):
    """
    A commit failed while it was being written: it may be on the disk, whole, or not at all.

    Whoever wrote it is told neither yes nor no. Every further write is refused: an operating system
    may report a failed sync once and call the next one a success, so only a new process that reads
    the log anew knows what is there (https://wiki.postgresql.org/wiki/Fsync_Errors).
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        """Return the file and what happened."""
        return f"{self.path}: {self.message}"
