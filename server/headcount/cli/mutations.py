"""
A file of mutations, read line by line for `headcount write`.

What is wrong with a line by itself goes to the rejects file and is not sent; what is left are
mutations in their order, with the line of each remembered for what is refused later. A clock time
without an offset is the workspace's, which the wire cannot say: so it is resolved here.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from headcount.ingest.given import Object, mutation_of
from headcount.load import cells
from headcount.load.cells import shown
from headcount.load.json_lines import NotAnObject, parse_object
from headcount.load.progress import Step
from headcount.load.rejects import Reject, Rejects
from headcount.load.text_file import BLOCK_BYTES, TextFile
from headcount.model.changes import FOUND, Refusal
from headcount.model.errors import Reason, UserError
from headcount.rpc import convert_writes

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class MutationFile:
    """
    The mutations of an NDJSON file; those of its lines that are none are told to *rejects*.

    Raises:
        UserError: there is no such file, or it is not text at all.
    """

    def __init__(
        self, path: Path, zone: ZoneInfo, rejects: Rejects, progress: Callable[[Step], None]
    ) -> None:
        if not path.is_file():
            raise UserError(Reason.NOT_FOUND, f"there is no file {path}")
        self.lines = 0
        self._path = path
        self._zone = zone
        self._rejects = rejects
        self._progress = progress
        self._places = array("Q")  # the line of each mutation that was sent

    def mutations(self) -> Iterator[Object]:
        """Yield the mutations, one after the other."""
        for text in self._texts():
            self.lines += 1
            if isinstance(text, UnicodeDecodeError):
                found = _reject(self.lines, "", *_not_utf8(text))
                self._rejects.add(self._path, [found])
                continue
            if not text or text.isspace():
                continue
            try:
                mutation = self._timed(parse_object(text))
                convert_writes.to_mutation(mutation_of(mutation, ""), "")
            except NotAnObject as reason:
                found = _reject(self.lines, "", shown(text), str(reason))
                self._rejects.add(self._path, [found])
            except UserError as error:
                field = (error.field or "").rpartition(".")[2]
                found = _reject(self.lines, field, "", error.message)
                self._rejects.add(self._path, [found])
            else:
                self._places.append(self.lines)
                yield mutation

    def refuse(self, refused: Iterable[Refusal]) -> None:
        """Take note of mutations that were refused; they are numbered as they were sent."""
        found = (_reject(self._places[r.index], r.field, "", r.message) for r in refused)
        self._rejects.add(self._path, found)

    def _texts(self) -> Iterator[str | UnicodeDecodeError]:
        """Yield the lines of the file, or why one is no text, telling how far it is read."""
        file = TextFile(self._path, checked=False)
        rest = b""
        try:
            while data := file.read():
                whole, newline, rest = (rest + data).rpartition(b"\n")
                if newline:
                    yield from _decoded(whole)
                elif len(rest) > BLOCK_BYTES:
                    raise UserError(
                        Reason.INVALID_FILE,
                        f"{self._path.name}: line {self.lines + 1:,} is longer than"
                        f" {BLOCK_BYTES >> 20} MiB; write one object a line",
                    )
                self._progress(Step(self._path.name, self.lines, file.position, file.size))
            if rest:
                yield from _decoded(rest)
        finally:
            file.close()

    def _timed(self, mutation: dict[str, object]) -> Object:
        """Return a mutation whose times, of an event or of lists, are instants."""
        if isinstance(mutation.get("time"), (str, int, float)):
            mutation["time"] = self._instant(mutation["time"], "time")
        lists = mutation.get("lists")
        for each in lists if isinstance(lists, list) else ():
            if isinstance(each, dict) and each.get("time") is not None:
                each["time"] = self._instant(each["time"], "lists")
        return mutation

    def _instant(self, value: object, field: str) -> dt.datetime | None:
        try:
            found = cells.instant(value, self._zone)
        except cells.Refusal as reason:
            message = f"{reason}{FOUND}{shown(value, 100)}`"
            raise UserError(Reason.INVALID_VALUE, message, field=field) from None
        return None if found is None else _EPOCH + dt.timedelta(microseconds=found)


def _reject(line: int, column: str, value: str, message: str) -> Reject:
    reason, found, given = message.partition(FOUND)
    return Reject(line, column, given.removesuffix("`") if found and not value else value, reason)


def _decoded(lines: bytes) -> Iterator[str | UnicodeDecodeError]:
    """Yield each line as text, or the error of one that is not UTF-8."""
    try:
        yield from lines.decode().split("\n")
    except UnicodeDecodeError:
        for line in lines.split(b"\n"):
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                yield error


def _not_utf8(error: UnicodeDecodeError) -> tuple[str, str]:
    """Return what is shown of a line that is not UTF-8, and why it is refused."""
    line = error.object.decode(errors="backslashreplace")
    return shown(line), "expected UTF-8, found a byte that no character has there"
