"""
A text file as UTF-8 bytes, whatever it is stored as.

Excel writes UTF-16 with a byte order mark, exports come gzipped, and the readers of CSV and NDJSON
want plain UTF-8. This is the one place that knows about it: a stream with `read(n)` that inflates,
takes off the mark and converts, a block at a time. What is not text at all (a spreadsheet, a
Parquet file with a wrong name) is refused here, by its first bytes; text that is not of its
encoding, with its line, since a wrong encoding spoils all rows alike. Checking costs 1 ms a MiB.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path
from typing import IO

from headcount.model.errors import Reason, UserError

BLOCK_BYTES = 1 << 23  # read at a time; also the longest row

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_FOREIGN = (
    (b"PAR1", "a Parquet file; name it .parquet"),
    (b"ARROW1", "an Arrow file; name it .arrow"),
    (b"PK\x03\x04", "a spreadsheet or zip file; export it as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; export it as CSV (UTF-8)"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
)
_GZIP = b"\x1f\x8b"


class TextFile:
    """
    The bytes of a text file, as valid UTF-8 without a mark.

    Without *checked*, a file in UTF-8 is given as it is: whoever reads it can say which line is not
    valid, and go on with the next. A character may be cut in two where one `read` ends and the next
    begins. `position` counts bytes of the file as it is stored, up to `size`, for a progress bar.
    """

    def __init__(self, path: Path, *, checked: bool = True) -> None:
        self._path = path
        self._checked = checked
        self.size = path.stat().st_size
        self._file: IO[bytes] = path.open("rb")
        self._stream: IO[bytes] | gzip.GzipFile = self._file
        self._encoding = "utf-8"
        self._lines = 0  # read so far, to name the place of an error
        self._ahead = b""
        self._at_end = False
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    @property
    def position(self) -> int:
        """How many stored bytes have been read."""
        return self._file.tell()

    @property
    def closed(self) -> bool:
        """Whether `close` was called; Arrow asks."""
        return self._file.closed

    def close(self) -> None:
        """Close the file."""
        if self._stream is not self._file:
            self._stream.close()
        self._file.close()

    def read(self, size: int = 0) -> bytes:
        """Return the next bytes, at most *size* or a block; empty at the end of the file."""
        size = size or BLOCK_BYTES
        while not self._ahead and not self._at_end:
            self._fill(size)
        found, self._ahead = self._ahead[:size], self._ahead[size:]
        return found

    def unread(self, data: bytes) -> None:
        """Put *data* back, to be read again first."""
        self._ahead = data + self._ahead

    def _begin(self) -> None:
        """Look at the first bytes: what the file is, and how its text is encoded."""
        if not self.size:
            raise UserError(Reason.INVALID_FILE, f"{self._path.name} is empty")
        head = self._file.read(16)
        self._file.seek(0)
        for magic, what in _FOREIGN:
            if head.startswith(magic):
                raise UserError(Reason.INVALID_FILE, f"{self._path.name} is {what}")
        if head.startswith(_GZIP):
            self._stream = gzip.GzipFile(fileobj=self._file)
        start = self._read_stream(BLOCK_BYTES)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                start, self._encoding = start[len(mark) :], encoding
                break
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        if self._encoding == "utf-8" and b"\0" in start[:4096]:
            raise UserError(
                Reason.INVALID_FILE,
                f"{self._path.name} holds zero bytes, as UTF-16 without a byte order mark does;"
                " save it as UTF-8",
            )
        self._ahead = self._converted(start)

    def _fill(self, size: int) -> None:
        data = self._read_stream(size)
        if not data:
            self._at_end = True
        self._ahead = self._converted(data)

    def _read_stream(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UserError(
                Reason.INVALID_FILE,
                f"{self._path.name} is not a whole gzip file ({error}); copy or export it again",
            ) from error

    def _converted(self, data: bytes) -> bytes:
        """Return *data*, the next of the file, as UTF-8; empty stands for the file's end."""
        if self._encoding == "utf-8" and not self._checked:
            return data
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode(error.encoding)
            raise self._not_text(self._lines + good.count("\n") + 1, error) from error
        self._lines += text.count("\n")
        return data if self._encoding == "utf-8" else text.encode()

    def _not_text(self, line: int, error: UnicodeDecodeError) -> UserError:
        name = self._path.name
        if self._encoding == "utf-8":
            wrong = f"is not UTF-8 (byte 0x{error.object[error.start]:02X})"
        else:
            wrong = f"is not {self._encoding.upper()}, as the file begins ({error.reason})"
        return UserError(
            Reason.INVALID_FILE,
            f"{name}: line {line:,} {wrong}; save the file as UTF-8, for example with:"
            f" iconv -f WINDOWS-1252 -t UTF-8 '{name}'",
            field=f"{name}:{line}",
        )
