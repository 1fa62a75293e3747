"""
The screen: which records of a request are good so far, and why the others are not.

A record with anything that cannot be stored is refused whole, and each of its mistakes is reported,
so that all of them can be mended at once. It is for requests what `load.sieve` is for files: these
name lines and count reasons, this names the record's place in the request and its field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.load.coerce import Coerced, Column, Mismatch, Refused
from headcount.model.changes import FOUND, Places, Refusal
from headcount.model.errors import Reason, UserError
from headcount.model.schema import nearest

Rows = npt.NDArray[np.int64]
_LONG = 100  # characters of a value that a message does not repeat
_MISTAKES = 100  # of one record that are reported: 10,000 wrong names are one wrong program
_SUGGESTIONS = 100  # of names in one request: each costs 0.2 ms


class Screen:
    """
    Takes the records with the places *numbers* in their request.

    *typed* columns have one type by declaration (Arrow), so that one which can never fit is an
    error of the whole request; of others each record is refused by itself.
    """

    def __init__(self, numbers: Places, *, typed: bool = False) -> None:
        self._numbers = numbers
        self._typed = typed
        self._refused: list[Refusal] = []
        self._mistakes: dict[int, int] = {}  # how many, by row
        self._suggestions = 0
        self.good = np.ones(len(numbers), dtype=np.bool_)

    def read(
        self,
        column: Column,
        field: str,
        wanted: str,
        read: Callable[[Column], Coerced],
        rows: Rows | None = None,
    ) -> pa.Array:
        """
        Return *column* as *read* types it, null where its records are refused for it.

        *rows* are the records that the column holds values of, by default all.

        Raises:
            UserError: a typed column has a type that can never be *wanted*.
        """
        try:
            found = read(column)
        except Mismatch as mismatch:
            if self._typed or isinstance(column, list):
                raise UserError(
                    Reason.TYPE_MISMATCH,
                    f"column `{field}` holds {mismatch}, which cannot be {wanted}; convert the"
                    " column",
                    field=f"batches.{field}",
                ) from mismatch
            found = read(column.to_pylist())
        for cell in found.refused:
            row = cell.row if rows is None else int(rows[cell.row])
            self.refuse(row, field, Reason.INVALID_VALUE, cell.reason + _found(cell, column))
        return found.values

    def refuse(self, row: int, field: str, reason: Reason, message: str) -> None:
        """Refuse the record at *row*; of its mistakes the first 100 are reported."""
        self.good[row] = False
        self._mistakes[row] = mistakes = self._mistakes.get(row, 0) + 1
        if mistakes <= _MISTAKES:
            self._refused.append(Refusal(int(self._numbers[row]), field, reason, message))

    def suggested(self, name: str, known: Iterable[str]) -> str:
        """Return which *known* names may be meant by *name*, for a message; of 100 names only."""
        self._suggestions += 1
        return did_you_mean(nearest(name, known)) if self._suggestions <= _SUGGESTIONS else ""

    def refuse_missing(self, values: pa.Array, field: str, message: str) -> None:
        """Refuse the records, good so far, whose *values* are null."""
        if values.null_count:
            missing = values.is_null().to_numpy(zero_copy_only=False) & self.good
            for row in np.flatnonzero(missing).tolist():
                self.refuse(row, field, Reason.INVALID_VALUE, message)

    def rows(self) -> Rows:
        """Return the rows of the good records, ascending."""
        return np.flatnonzero(self.good) if self._refused else np.arange(len(self.good))

    def refused(self) -> list[Refusal]:
        """Return the refusals so far, by the record's place and then by field and message."""
        return sorted(self._refused, key=lambda one: (one.index, one.field, one.message))


def _found(cell: Refused, column: Column) -> str:
    """Return the value of a refused cell for a message; nothing if it is none, or long."""
    given: Any = column[cell.row]
    missing = given is None if isinstance(column, list) else not given.is_valid
    long = len(cell.value) > _LONG
    return "" if missing or long or not cell.value else f"{FOUND}{cell.value}`"


def did_you_mean(near: tuple[str, ...]) -> str:
    """Return the end of a message about an unknown name."""
    return f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
