"""
Rejects: the rows that were refused, in a CSV file beside the summary's counts.

    file,line,column,value,reason
    contacts.csv,17,birthday,03/04/2026,ambiguous: day or month first? expected a date such as ...

One line a refused cell, so that a row with two bad cells can be mended at once; the row is refused
whole. Reasons name no values, so that equal causes are counted together. The file is made with its
first line, and with `strict` never: the first refusal is an error then.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from headcount.load.cells import shown
from headcount.model.errors import Reason, UserError
from headcount.storage import files

HEADER = ("file", "line", "column", "value", "reason")
_MAX_REASONS = 200  # told apart in the counts
_OTHER = "other reasons, see the rejects file"


@dataclass(frozen=True, slots=True)
class Reject:
    """
    One refused cell, or a refused row when `column` is empty.

    `detail` is written behind the reason but not counted apart: the line of an earlier row, say.
    """

    line: int
    column: str
    value: str
    reason: str
    detail: str = ""


class Rejects:
    """Collects refusals, counts them by reason, and writes them to a file."""

    def __init__(
        self,
        path: Path,
        *,
        strict: bool = False,
        inputs: Collection[Path] = (),
        stopped: str = "nothing was loaded",
    ) -> None:
        """
        When strict, an error says that *stopped* is what became of the rest.

        Raises:
            UserError: *path* is one of the *inputs*, a folder, or a file that is no rejects file.
        """
        self.path = path
        self.rows = 0
        self.reasons: Counter[str] = Counter()
        self._strict = strict
        self._stopped = stopped
        self._file: IO[str] | None = None
        self._writer: Any = None
        _refuse_other_files(path, inputs)

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, source: Path, found: Iterable[Reject]) -> int:
        """
        Take note of the refusals *found* in *source* and return how many rows they are of.

        Raises:
            UserError: INVALID_VALUE for the first of them, when strict.
        """
        ordered = sorted(found, key=lambda reject: reject.line)
        if not ordered:
            return 0
        if self._strict:
            raise _stop(source, ordered[0], self._stopped)
        with files.explained(self.path, files.UNCHANGED):
            writer = self._open()
            for reject in ordered:
                reason = f"{reject.reason} ({reject.detail})" if reject.detail else reject.reason
                writer.writerow(
                    (source.name, reject.line, reject.column, shown(reject.value, 1000), reason)
                )
        for reject in ordered:
            self._count(f"{reject.column}: {reject.reason}" if reject.column else reject.reason)
        rows = len({reject.line for reject in ordered})
        self.rows += rows
        return rows

    def _open(self) -> Any:
        if self._writer is None:
            self._file = self.path.open(
                "w", encoding="utf-8", newline="", errors="backslashreplace"
            )
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow(HEADER)
        return self._writer

    def _count(self, reason: str) -> None:
        known = reason in self.reasons or len(self.reasons) < _MAX_REASONS
        self.reasons[reason if known else _OTHER] += 1


def _stop(source: Path, reject: Reject, stopped: str) -> UserError:
    place = ":".join(filter(None, (source.name, str(reject.line), reject.column)))
    found = f", found `{shown(reject.value)}`" if reject.value else ""
    detail = f" ({reject.detail})" if reject.detail else ""
    return UserError(
        Reason.INVALID_VALUE,
        f"{source.name}, line {reject.line:,}"
        + (f", column `{reject.column}`" if reject.column else "")
        + f": {reject.reason}{detail}{found}; {stopped}",
        field=place,
    )


def _refuse_other_files(path: Path, inputs: Collection[Path]) -> None:
    """Refuse to write over anything that is not a rejects file; remove an old one."""
    if path.is_dir():
        raise UserError(Reason.CONFLICT, f"{path} is a folder; name a file for the refused rows")
    if not path.exists():
        return
    is_input = any(other.exists() and path.samefile(other) for other in inputs)
    with path.open("rb") as file:
        head = file.readline(100)
    if is_input or head.rstrip(b"\r\n") != ",".join(HEADER).encode():
        raise UserError(
            Reason.CONFLICT,
            f"{path} exists and is not a rejects file; name another file for the refused rows",
        )
    path.unlink()
