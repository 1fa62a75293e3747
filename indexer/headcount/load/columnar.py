"""
Parquet and Arrow IPC: files that are columns already.

They are read a batch of rows at a time (a row group is decoded page by page), so memory does not
follow the file's size. Every batch is validated whole before anything looks at it: such a file is
input from outside, and neither text that is not UTF-8 nor offsets that point elsewhere are caught
by the readers. Rows are numbered from 1.

Arrow files are read, not mapped: a mapped file that is cut short ends the process with SIGBUS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headcount.load.batch import Batch, Columns
from headcount.model.errors import Reason, UserError

BATCH_ROWS = 1 << 17

_ARROW_FILE_MAGIC = b"ARROW1"


class ColumnarFile:
    """A file of record batches, opened: its columns are known."""

    def __init__(
        self,
        path: Path,
        columns: Columns,
        names: Sequence[str],
        found: Iterable[pa.RecordBatch],
        position: Callable[[int], int],
        close: Callable[[], None],
    ) -> None:
        self._path = path
        self._found = found
        self._position = position
        self._rows = 0  # read so far
        self.close = close
        placed = columns.place(names, path)
        self._names = [placed[name] for name in names]

    @property
    def position(self) -> int:
        """About how many bytes of the file have been read."""
        return self._position(self._rows)

    def batches(self) -> Iterator[Batch]:
        """Yield the rows, up to `BATCH_ROWS` at a time."""
        for part in self._parts():
            lines = np.arange(self._rows + 1, self._rows + part.num_rows + 1)
            self._rows += part.num_rows
            yield Batch(dict(zip(self._names, part.columns, strict=True)), lines)

    def _parts(self) -> Iterator[pa.RecordBatch]:
        found = iter(self._found)
        while True:
            with _readable(self._path, self._rows):
                batch = next(found, None)
                if batch is None:
                    return
                batch.validate(full=True)
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)


def open_parquet(path: Path, columns: Columns) -> ColumnarFile:
    """Return the Parquet file at *path*, opened."""
    size = _not_empty(path)
    with _readable(path):
        file = pq.ParquetFile(path)
    rows = max(1, file.metadata.num_rows)
    with _closed_on_error(file.close):
        return ColumnarFile(
            path,
            columns,
            file.schema_arrow.names,
            file.iter_batches(batch_size=BATCH_ROWS),
            lambda done: size * done // rows,
            file.close,
        )


def open_arrow(path: Path, columns: Columns) -> ColumnarFile:
    """Return the Arrow IPC file or stream at *path*, opened."""
    _not_empty(path)
    source = pa.OSFile(str(path))
    with _closed_on_error(source.close):
        with _readable(path):
            names, found = _record_batches(source)
        return ColumnarFile(path, columns, names, found, lambda _: int(source.tell()), source.close)


def _record_batches(source: pa.OSFile) -> tuple[list[str], Iterable[pa.RecordBatch]]:
    is_file = source.read(len(_ARROW_FILE_MAGIC)) == _ARROW_FILE_MAGIC
    source.seek(0)
    if not is_file:
        stream = pa.ipc.open_stream(source)
        return stream.schema.names, stream
    file = pa.ipc.open_file(source)
    return file.schema.names, (file.get_batch(at) for at in range(file.num_record_batches))


def _not_empty(path: Path) -> int:
    size = path.stat().st_size
    if not size:
        raise UserError(Reason.INVALID_FILE, f"{path.name} is empty")
    return size


@contextmanager
def _readable(path: Path, after: int = 0) -> Iterator[None]:
    """Turn what Arrow raises for a damaged file into an error that names it."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        place = f" after row {after:,}" if after else ""
        cause = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(
            Reason.INVALID_FILE,
            f"{path.name} is damaged, cut short or not {path.suffix} at all{place};"
            f" copy or write it again ({cause})",
        ) from error


@contextmanager
def _closed_on_error(close: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        close()
        raise
