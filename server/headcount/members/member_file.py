"""
Contacts written to a file: CSV or Parquet, which is whole or not there.

    batches ─► a file beside, under a temporary name ─► synced ─► renamed

By the end of the name: `.csv`, or `.parquet`. What is written can be loaded again, and gives the
same contacts: the first column is called as the schema's id is, dates and times are RFC 3339, the
values of a multi-valued field are joined by `;` in CSV and a list in Parquet.

What the file is of (version, instant, definition) is a JSON document: in Parquet the metadata
`headcount` of its schema; beside a CSV file one of the name `<file>.json` if it is asked for, as a
comment in CSV itself would be a row to most programs.

It is an edge, as `load` is: it touches files outside of the data folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from headcount.model.errors import Reason, UserError
from headcount.storage import files

METADATA_KEY = "headcount"
SIDECAR = ".json"
_SEPARATOR = ";"
_GROUP_ROWS = 1 << 17  # of Parquet
_GROUP_BYTES = 64 << 20

_writers = count()  # of this process: two that write one file do not write into each other


class MemberFile:
    """
    A file of contacts that is being written; as a context it is completed at the end.

        with MemberFile(path, "contact_id", columns, about) as file:
            file.write(batch)

    After an error there is nothing of the file, and one that was there before is unchanged.
    """

    def __init__(
        self,
        path: Path,
        id_column: str,
        columns: pa.Schema,
        about: Mapping[str, object],
        *,
        sidecar: bool = False,
        replace: bool = True,
    ) -> None:
        """
        Begin to write *path*, of *columns*: those of `contacts.arrow_schema`.

        *about* is what the file is of, as JSON holds it. With *sidecar* a CSV file has it beside;
        without *replace*, a file that is there already is an error.

        Raises:
            UserError: the name has another end, its folder is not there, or it is there already.
            CorruptionError: the disk failed.
        """
        self._csv = is_csv(path)
        self._path = path
        self._about = dict(about)
        self._sidecar = sidecar and self._csv
        self._replace = replace
        self.count = 0
        self._waiting: list[pa.RecordBatch] = []  # of the next group of rows of Parquet
        self._waiting_bytes = 0
        if not path.parent.is_dir():
            raise UserError(Reason.NOT_FOUND, f"there is no folder {path.parent}; make it first")
        if not replace:
            self._refuse_existing(path)
        self._temporary = path.with_name(f"{path.name}.{os.getpid()}-{next(_writers)}.tmp")
        files.remove(self._temporary)  # of a dead process that had this number
        self._file: BinaryIO = os.fdopen(files.create(self._temporary), "wb")
        self._schema = columns.set(0, columns.field(0).with_name(id_column))
        try:
            self._writer = self._opened()
        except BaseException:
            self._file.close()
            files.discard(self._temporary)
            raise

    def _opened(self) -> csv.CSVWriter | parquet.ParquetWriter:
        if self._csv:
            text = pa.schema([pa.field(f.name, pa.string()) for f in self._schema])
            return csv.CSVWriter(
                self._file, text, write_options=csv.WriteOptions(quoting_style="needed")
            )
        document = json.dumps(self._about, ensure_ascii=False)
        schema = self._schema.with_metadata({METADATA_KEY: document})
        return parquet.ParquetWriter(self._file, schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        """
        Write the contacts of a batch: an `id`, then the fields.

        Raises:
            UserError: CSV cannot hold a value: one of several in a cell has a `;`; a full disk.
            CorruptionError: the disk failed.
        """
        named = pa.RecordBatch.from_arrays(batch.columns, schema=self._schema)
        if self._csv:
            with files.explained(self._temporary, files.UNCHANGED):
                self._writer.write_batch(_as_text(named))
        else:
            self._waiting.append(named)
            self._waiting_bytes += named.nbytes
            rows = sum(map(len, self._waiting))
            if rows >= _GROUP_ROWS or self._waiting_bytes >= _GROUP_BYTES:
                self._write_group()
        self.count += len(batch)

    def _write_group(self) -> None:
        """Write what waits as one group of rows; one a batch would take twice the time."""
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            with files.explained(self._temporary, files.UNCHANGED):
                self._writer.write_table(table)
        self._waiting, self._waiting_bytes = [], 0

    def __enter__(self) -> MemberFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with files.explained(self._temporary, files.UNCHANGED), self._file:
                if error is None:
                    self._write_group()
                self._writer.close()
                if error is None:
                    self._file.flush()
                    files.sync(self._temporary, self._file.fileno())
            if error is None:
                self._publish()
        finally:
            files.discard(self._temporary)

    def _publish(self) -> None:
        if self._sidecar:
            document = {**self._about, "contacts": self.count}
            text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
            mine = self._temporary.with_suffix(SIDECAR)
            try:
                files.write_beside(mine, text.encode())
                self._place(files.beside(mine), self._path.with_name(self._path.name + SIDECAR))
            finally:
                files.discard(files.beside(mine))
        self._place(self._temporary, self._path)
        files.sync_folder(self._path.parent)

    def _place(self, temporary: Path, target: Path) -> None:
        """Give a file its name; unless it may take another's place, none of that name is there."""
        if self._replace:
            files.rename(temporary, target)
            return
        with files.explained(target, files.UNCHANGED):
            try:
                os.link(temporary, target)
            except FileExistsError:
                self._refuse_existing(target)

    def _refuse_existing(self, path: Path) -> None:
        if path.exists():
            raise UserError(
                Reason.ALREADY_EXISTS,
                f"there is a file {path.name} already; choose another name",
            )


def silent(count: int) -> None:
    """Show nothing of how many contacts are written."""
    del count


def is_csv(path: Path) -> bool:
    """
    Return whether a file of this name is CSV; otherwise it is Parquet.

    Raises:
        UserError: the name ends in neither `.csv` nor `.parquet`.
    """
    end = path.suffix.lower()
    if end not in (".csv", ".parquet"):
        raise UserError(
            Reason.INVALID_VALUE,
            f"expected a file name that ends in .csv or .parquet, found {path.name!r}",
        )
    return end == ".csv"


def _as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose columns are the texts that `load` reads the same values from."""
    texts = [_text(column, batch.schema.names[at]) for at, column in enumerate(batch.columns)]
    return pa.RecordBatch.from_arrays(texts, names=batch.schema.names)


def _text(column: pa.Array, name: str) -> pa.StringArray:
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_list(column.type):
        inside = pc.match_substring(column.flatten(), _SEPARATOR)
        if pc.any(inside).as_py():
            raise UserError(
                Reason.INVALID_VALUE,
                f"a value of `{name}` has a `;`, which ends a value in CSV; write Parquet",
            )
        return pc.binary_join(column, _SEPARATOR)
    found = pc.cast(column, pa.string())
    if pa.types.is_timestamp(column.type):
        found = pc.replace_substring(found, " ", "T")
    return found
