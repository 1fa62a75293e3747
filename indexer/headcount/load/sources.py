"""
The files that `load` takes, opened by what their names say they are.

    .csv .tsv .txt    csv_file      text; .gz is inflated, UTF-16 with a mark is converted
    .ndjson .jsonl    json_lines    the same
    .parquet .pq      columnar
    .arrow .feather   columnar      Arrow IPC, file or stream

The name decides, never a guess: a Parquet file called `.csv` is an error that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from headcount.load.batch import Batch, Columns
from headcount.load.columnar import open_arrow, open_parquet
from headcount.load.csv_file import CsvFile
from headcount.load.json_lines import JsonLines
from headcount.model.errors import Reason, UserError


class Source(Protocol):
    """A file whose columns are known and whose rows can be read once."""

    @property
    def position(self) -> int:
        """How many bytes of the file have been read."""

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in order."""

    def close(self) -> None:
        """Close the file."""


_OPENERS: Mapping[str, Callable[[Path, Columns], Source]] = {
    ".csv": CsvFile,
    ".tsv": CsvFile,
    ".txt": CsvFile,
    ".ndjson": JsonLines,
    ".jsonl": JsonLines,
    ".json": JsonLines,
    ".parquet": open_parquet,
    ".pq": open_parquet,
    ".arrow": open_arrow,
    ".arrows": open_arrow,
    ".feather": open_arrow,
    ".ipc": open_arrow,
}
_TEXT = (CsvFile, JsonLines)


@contextmanager
def open_source(path: Path, columns: Columns) -> Iterator[Source]:
    """
    Open *path*, whose columns are those of *columns*, and close it at the end.

    Raises:
        UserError: there is no such file, it is not of a known kind, or its columns do not fit.
    """
    opener = _opener(path)
    try:
        source = opener(path, columns)
    except FileNotFoundError as error:
        raise _no_file(path) from error
    except OSError as error:
        raise UserError(
            Reason.INVALID_FILE, f"{path} cannot be read: {error.strerror or error}"
        ) from error
    with closing(source):
        yield source


def check_file(path: Path) -> None:
    """Raise the `UserError` of `open_source` for a path that can be seen to be no such file."""
    _opener(path)
    if not path.exists():
        raise _no_file(path)


def _no_file(path: Path) -> UserError:
    return UserError(Reason.INVALID_FILE, f"there is no file {path}")


def _opener(path: Path) -> Callable[[Path, Columns], Source]:
    if path.is_dir():
        raise UserError(
            Reason.INVALID_FILE, f"{path} is a folder; name its files, for example {path}/*.parquet"
        )
    suffixes = [suffix.lower() for suffix in path.suffixes]
    zipped = suffixes[-1:] == [".gz"]
    opener = _OPENERS.get(suffixes[-2] if zipped and len(suffixes) > 1 else "".join(suffixes[-1:]))
    if opener is None or (zipped and opener not in _TEXT):
        raise UserError(
            Reason.INVALID_FILE,
            f"{path.name}: unknown kind of file; expected one of {', '.join(_OPENERS)}"
            " (text may be .gz)",
        )
    return opener
