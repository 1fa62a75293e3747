"""
A batch on its way in: columns become typed, and rows that cannot be stored are sifted out.

Contacts, events and lists all go the same way. Read each column, which refuses cells; refuse rows
for reasons of their own (an id twice, an unknown contact); then go on with the rows that are left.
A row with any refused cell is refused whole, and every one of its refused cells is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.load.batch import Batch, Mask
from headcount.load.cells import shown
from headcount.load.coerce import Coerced, Column, Mismatch
from headcount.load.rejects import Reject, Rejects
from headcount.model.errors import Reason, UserError

Rows = npt.NDArray[np.int64]


class Sieve:
    """The rows of one batch that are good so far, and why the others are not."""

    def __init__(self, path: Path, batch: Batch) -> None:
        self._path = path
        self._batch = batch
        self.good = np.ones(batch.rows, dtype=np.bool_)
        self._rejects = [
            Reject(broken.line, "", broken.value, broken.reason) for broken in batch.broken
        ]

    def read(
        self, name: str, shown_name: str, wanted: str, read: Callable[[Column], Coerced]
    ) -> pa.Array:
        """Return the batch's column *name*, as `typed` does."""
        return self.typed(self._batch.columns[name], shown_name, wanted, read)

    def typed(
        self,
        column: Column,
        shown_name: str,
        wanted: str,
        read: Callable[[Column], Coerced],
        rows: Rows | None = None,
    ) -> pa.Array:
        """
        Return *column* as *read* types it, refusing the rows of its refused cells.

        *rows* are the rows of the batch that the column holds, by default all.

        Raises:
            UserError: the column has a type that can never be *wanted*.
        """
        try:
            found = read(column)
        except Mismatch as mismatch:
            if self._batch.typed or isinstance(column, list):
                raise UserError(
                    Reason.INVALID_FILE,
                    f"{self._path.name}: column `{shown_name}` holds {mismatch}, which cannot be"
                    f" {wanted}; convert the column, or declare another type",
                    field=f"{self._path.name}:{shown_name}",
                ) from mismatch
            found = read(column.to_pylist())  # another batch may have another type: row by row
        for cell in found.refused:
            row = cell.row if rows is None else int(rows[cell.row])
            self.refuse(row, shown_name, cell.value, cell.reason)
        return found.values

    def refuse(self, row: int, column: str, value: object, reason: str, detail: str = "") -> None:
        """Refuse one *row* of the batch."""
        self.good[row] = False
        line = int(self._batch.lines[row])
        self._rejects.append(Reject(line, column, shown(value), reason, detail))

    def refuse_all(self, mask: Mask, column: str, values: pa.Array, reason: str) -> None:
        """Refuse the rows of *mask* for one reason; *values* are what their cells hold."""
        rows = np.flatnonzero(mask)
        if len(rows):
            texts = values.take(pa.array(rows)).to_pylist()
            for row, text in zip(rows.tolist(), texts, strict=True):
                self.refuse(row, column, "" if text is None else text, reason)

    def refuse_missing(self, values: pa.Array, column: str, reason: str) -> None:
        """Refuse the rows, good so far, in which *values* are null."""
        if values.null_count:
            missing = values.is_null().to_numpy(zero_copy_only=False) & self.good
            for row in np.flatnonzero(missing).tolist():
                self.refuse(row, column, "", reason)

    def report(self, rejects: Rejects) -> int:
        """Pass the refusals so far on to *rejects* and return how many rows they are of."""
        found, self._rejects = self._rejects, []
        return rejects.add(self._path, found)

    def rows(self) -> Rows:
        """Return the rows that are good, ascending."""
        return np.flatnonzero(self.good)


def kept(columns: Iterable[tuple[str, pa.Array]], rows: Rows, of: int) -> dict[str, pa.Array]:
    """Return *rows* (out of *of*) of each column."""
    if len(rows) == of:
        return dict(columns)
    indices = pa.array(rows)
    return {name: column.take(indices) for name, column in columns}
