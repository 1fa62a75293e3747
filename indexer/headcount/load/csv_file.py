"""
CSV: Arrow's reader, with every row's line in the file.

Arrow splits and unquotes a block of 8 MiB at a time; all cells come as bytes, since what they mean
is the schema's business. What is added here:

* the delimiter: the one of `,` `;` tab that the header has most of;
* lines. Arrow numbers rows, blank ones and broken ones too; a row starts as many lines further down
  as there are line breaks inside the quoted cells before it. Those are counted in the cells, where
  there are any, so nothing is parsed twice;
* a quote that is never closed. Arrow would take the rest of the file for one cell, without a word.
  So a last row that no file has is added to the stream: if it does not come out again as it went
  in, a quote swallowed it.

A line with no value at all is no row. A row with too many or too few cells is refused alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from headcount.load.batch import Batch, Broken, Columns, Lines
from headcount.load.cells import shown
from headcount.load.text_file import BLOCK_BYTES, TextFile
from headcount.model.errors import Reason, UserError

_DELIMITERS = (",", ";", "\t")
_HEADER_BYTES = 1 << 20
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_LAST_CELL = "\x00end of file\x00"  # no text file holds zero bytes


class CsvFile:
    """A CSV file, opened: its header is read and its columns are known."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self._text = TextFile(path)
        try:
            self._delimiter, self.header, self._first_line = self._read_header()
            placed = columns.place(self.header, path)
            self._names = [placed[name] for name in self.header]
        except BaseException:
            self.close()
            raise

    @property
    def position(self) -> int:
        """How many bytes of the file have been read."""
        return self._text.position

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def batches(self) -> Iterator[Batch]:
        """Yield the rows, each batch what is in one block of the file."""
        rows = _Rows(self._path, self._first_line)
        try:
            for cells in self._reader(rows):
                batch = rows.batch(cells.columns, self._names) if cells.num_rows else None
                if batch is not None and (batch.rows or batch.broken):
                    yield batch
        except pa.ArrowInvalid as error:
            raise rows.unreadable(error) from error
        rows.finish()

    def _reader(self, rows: _Rows) -> arrow_csv.CSVStreamingReader:
        keys = [str(at) for at in range(len(self.header))]
        stream = _WithLastRow(self._text, self._delimiter, len(keys))
        return arrow_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=arrow_csv.ReadOptions(
                column_names=keys, block_size=BLOCK_BYTES, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=rows.break_off,
            ),
            convert_options=arrow_csv.ConvertOptions(
                check_utf8=False, column_types=dict.fromkeys(keys, pa.binary())
            ),
        )

    def _read_header(self) -> tuple[str, list[str], int]:
        """Return the delimiter, the names and the line of the first row; leave the rows unread."""
        start = self._text.read()
        text = start[:_HEADER_BYTES].decode(errors="ignore")  # but for a character cut at the end
        delimiter = _delimiter(text)
        found = _first_record(text, delimiter)
        if found is None:
            raise UserError(
                Reason.INVALID_FILE,
                f"{self._path.name}: no header; the first row must name the columns",
            )
        names, lines, size = found
        self._text.unread(start[size:])
        return delimiter, [name.strip() for name in names], lines + 1


def _delimiter(text: str) -> str:
    """Return which of `,` `;` tab the first line with a value has most of, outside quotes."""
    lines = _QUOTED.sub("", text).splitlines()
    header = next((line for line in lines if line.strip()), "")
    return max(_DELIMITERS, key=header.count)


def _first_record(text: str, delimiter: str) -> tuple[list[str], int, int] | None:
    """Return the first row with a value, the lines up to its end, and their UTF-8 bytes."""
    lines = io.StringIO(text, newline="")
    taken: list[str] = []

    def feed() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    try:
        for cells in csv.reader(feed(), delimiter=delimiter):
            if any(cell.strip() for cell in cells):
                return cells, len(taken), sum(len(line.encode()) for line in taken)
    except csv.Error:
        return None
    return None


class _WithLastRow:
    """The text, and after it one row that no file has, for Arrow to read."""

    def __init__(self, text: TextFile, delimiter: str, cells: int) -> None:
        self._text = text
        self._last_row = delimiter.join([_LAST_CELL] * cells).encode() + b"\n"
        self._ended = False
        self._end = b"\n"

    @property
    def closed(self) -> bool:
        return False  # closed by the owner of the text

    def close(self) -> None:
        """Do nothing: Arrow closes what it is given, but the text has an owner."""

    def read(self, size: int = -1) -> bytes:
        data = self._text.read(max(size, 0))
        if data:
            self._end = data[-1:]
        elif not self._ended:
            self._ended = True
            # A blank line more would be a row, so only an unfinished line is finished.
            data = self._last_row if self._end in b"\r\n" else b"\n" + self._last_row
        return data


class _Rows:
    """
    Where rows stand: record numbers and line breaks, followed through the file.

    Record k (Arrow's count from 1, with broken and blank ones) starts in line
    `first_line + k - 1 + the line breaks inside the records before it`.
    """

    def __init__(self, path: Path, first_line: int) -> None:
        self._path = path
        self._first_line = first_line
        self._record = 1  # the next one
        self._breaks = 0  # inside the records before it
        self._broken: list[tuple[int, str, int]] = []  # not passed on: record, text, cells
        self._expected = 0
        self._any = False
        self._ended = False

    def break_off(self, row: arrow_csv.InvalidRow) -> str:
        """Remember a row with a wrong number of cells; Arrow calls this as it reads ahead."""
        self._expected = row.expected_columns
        self._broken.append((row.number, row.text, row.actual_columns))
        return "skip"

    def batch(self, cells: list[pa.BinaryArray], names: Sequence[str]) -> Batch:
        """Return one block of rows, by the columns' *names*, with their lines."""
        records, broken = self._take_records(len(cells[0]))
        breaks = np.zeros(int(records[-1]) - self._record + 1, dtype=np.int64)
        breaks[records - self._record] = _line_breaks(cells)
        for record, text, _ in broken:
            breaks[record - self._record] = _count_breaks(text)
        first = self._first_line - 1 + self._record + self._breaks
        starts = first + np.arange(len(breaks)) + np.cumsum(breaks) - breaks
        lines = starts[records - self._record]
        if any(_LAST_CELL.encode() in column[-1].as_py() for column in cells):
            self._end(cells, int(lines[-1]))
            cells, lines = [column[:-1] for column in cells], lines[:-1]
        refused = [
            Broken(
                int(starts[record - self._record]),
                shown(text),
                self._wrong_cells(found, int(breaks[record - self._record])),
            )
            for record, text, found in broken
        ]
        self._record += len(breaks)
        self._breaks += int(breaks.sum())
        filled = _with_a_value(cells)
        if not filled.all():
            cells, lines = [column.filter(pa.array(filled)) for column in cells], lines[filled]
        self._any = self._any or len(lines) > 0 or len(refused) > 0
        texts = [column.cast(pa.string()) for column in cells]
        return Batch(dict(zip(names, texts, strict=True)), lines, refused)

    def finish(self) -> None:
        """Check that the file ended where its last row does, and had any."""
        if not self._ended:
            raise self._unclosed(self._next_line())
        if not self._any:
            raise UserError(
                Reason.INVALID_FILE,
                f"{self._path.name}: a header, but no row below it; leave the file out if there is"
                " nothing to load",
            )

    def unreadable(self, error: pa.ArrowInvalid) -> UserError:
        """Return the error for a block that Arrow cannot take apart."""
        line = self._next_line()
        what = f"not readable as CSV: {error}"
        if "straddling" in str(error):
            what = f"a row is longer than {BLOCK_BYTES >> 20} MiB; is a quote not closed?"
        return UserError(
            Reason.INVALID_FILE,
            f"{self._path.name}: in line {line:,} or after, {what}",
            field=f"{self._path.name}:{line}",
        )

    def _take_records(self, rows: int) -> tuple[Lines, list[tuple[int, str, int]]]:
        """Return the record numbers of the next *rows* good rows, and the broken ones before."""
        gaps = np.array([record for record, _, _ in self._broken], dtype=np.int64)
        numbers = np.arange(self._record, self._record + rows + len(gaps))
        numbers = numbers[~np.isin(numbers, gaps)][:rows]
        passed = int(np.searchsorted(gaps, numbers[-1]))
        broken, self._broken = self._broken[:passed], self._broken[passed:]
        return numbers, broken

    def _end(self, cells: list[pa.BinaryArray], line: int) -> None:
        """Check that the last row came out as it went in."""
        if any(column[-1].as_py() != _LAST_CELL.encode() for column in cells):
            raise self._unclosed(line)
        self._ended = True

    def _unclosed(self, line: int) -> UserError:
        return UserError(
            Reason.INVALID_FILE,
            f"{self._path.name}: a quote that opens in line {line:,} or after is never closed;"
            ' close it, or double a quote that is part of the text ("")',
            field=f"{self._path.name}:{line}",
        )

    def _next_line(self) -> int:
        return self._first_line - 1 + self._record + self._breaks

    def _wrong_cells(self, found: int, breaks: int) -> str:
        reason = f"the row has {found} cells, the header {self._expected}"
        if breaks:
            reason += f"; it runs over {breaks + 1} lines: is a quote not closed?"
        return reason


def _with_a_value(cells: list[pa.BinaryArray]) -> npt.NDArray[np.bool_]:
    """Return which rows have a cell that is not empty, as bool[n]."""
    filled = np.zeros(len(cells[0]), dtype=np.bool_)
    for column in cells:
        filled |= pc.binary_length(column).to_numpy() > 0
        if filled.all():
            break
    return filled


def _line_breaks(cells: list[pa.BinaryArray]) -> Lines:
    """Return how many line breaks the cells of each row hold, as int64[n]."""
    breaks = np.zeros(len(cells[0]), dtype=np.int64)
    for column in cells:
        data = column.buffers()[2]
        held = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, np.uint8)
        if not ((held == ord("\n")) | (held == ord("\r"))).any():
            continue
        for mark, sign in (("\n", 1), ("\r", 1), ("\r\n", -1)):
            breaks += sign * pc.count_substring(column, mark).to_numpy()
    return breaks


def _count_breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
