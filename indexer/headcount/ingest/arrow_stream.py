"""
Arrow IPC streams from clients, read without trust.

Bytes from outside may be damaged, and may be small and stand for much: compressed buffers, a
dictionary whose one long value every row refers to, views into one text. Compression and views are
refused, and a dictionary is measured before it is written out, so that a request costs memory in
proportion to its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from headcount.model.errors import Reason, UserError

_EXPANDED = 16  # times the bytes of a request that its dictionaries may stand for
_EXPANDED_LEAST = 64 << 20


def read_stream(data: bytes, limit: int) -> pa.RecordBatch:
    """
    Return the rows of an Arrow IPC stream as one batch, validated; at most *limit* of them.

    Raises:
        UserError: the bytes are no such stream or more than one, are compressed, hold types that no
            field can be read from, or more than *limit* rows.
    """
    rows = 0
    found = []
    try:
        source = pa.BufferReader(data)
        with pa.ipc.open_stream(source) as reader:
            schema = reader.schema
            names = schema.names  # decodes them; zones are decoded because they may be no text
            for field in schema:
                _ = field.type.tz if pa.types.is_timestamp(field.type) else None
            _plain_types(schema)
            _refuse_compression(data)
            for batch in reader:
                batch.validate(full=True)
                rows += batch.num_rows
                if rows > limit:
                    raise UserError(
                        Reason.LIMIT_EXCEEDED,
                        f"expected at most {limit:,} rows in one request; send several",
                        field="batches",
                    )
                found.append(batch)
            left = len(data) - source.tell()
    except (pa.ArrowException, OSError, UnicodeDecodeError, struct.error, IndexError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(
            Reason.SYNTAX,
            f"expected an Arrow IPC stream; found bytes that are not one ({cause})",
            field="batches",
        ) from error
    if left:
        raise UserError(
            Reason.SYNTAX,
            f"expected one Arrow IPC stream; found {left:,} bytes behind its end, which would not"
            " be read: send one stream a request",
            field="batches",
        )
    table = pa.Table.from_batches(found, schema)
    _bounded(table, names, len(data))
    columns = [_one(column) for column in table.itercolumns()]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _plain_types(schema: pa.Schema) -> None:
    """Refuse columns of types that nothing is read from, among them those that hide their size."""
    for field in schema:
        kind = field.type
        if pa.types.is_dictionary(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
            kind = kind.value_type
            if pa.types.is_dictionary(kind):
                kind = kind.value_type
        if not any(test(kind) for test in _PLAIN):
            raise UserError(
                Reason.TYPE_MISMATCH,
                f"column `{field.name[:100]}` holds {str(field.type)[:100]}, which no field is read"
                " from; convert it to text, numbers, booleans, dates, timestamps or lists of text",
                field="batches",
            )


_PLAIN = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_date,
    pa.types.is_timestamp,
)


def _bounded(table: pa.Table, names: Sequence[str], sent: int) -> None:
    """Refuse dictionaries that would be far larger written out than what was sent."""
    allowed = max(_EXPANDED_LEAST, _EXPANDED * sent)
    for name, column in zip(names, table.itercolumns(), strict=True):
        for chunk in column.chunks:
            values = chunk.flatten() if pa.types.is_nested(chunk.type) else chunk
            if not pa.types.is_dictionary(values.type):
                continue
            if pa.types.is_primitive(values.type.value_type):
                continue
            sizes = pc.binary_length(values.dictionary).take(values.indices)
            allowed -= pc.sum(sizes.cast(pa.int64())).as_py() or 0
            if allowed < 0:
                raise UserError(
                    Reason.LIMIT_EXCEEDED,
                    f"the dictionary of column `{name[:100]}` stands for far more than was sent;"
                    " send fewer rows",
                    field="batches",
                )


def _one(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()


# --- compression: https://github.com/apache/arrow/blob/main/format/Message.fbs ------------------

_CONTINUATION = 0xFFFFFFFF
_HEADER = 2  # field of Message; 1 is its type
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_COMPRESSION = 3  # field of RecordBatch
_DATA = 1  # field of DictionaryBatch: a RecordBatch
_BODY_LENGTH = 3  # field of Message


def _refuse_compression(data: bytes) -> None:
    """Refuse a stream whose buffers are compressed: a few bytes could stand for gigabytes."""
    at = 0
    while at + 8 <= len(data):
        mark, length = struct.unpack_from("<Ii", data, at)
        start = at + 8
        if mark != _CONTINUATION:  # as Arrow wrote before 0.15
            length, start = struct.unpack_from("<i", data, at)[0], at + 4
        if length <= 0:
            return
        message = start + struct.unpack_from("<I", data, start)[0]
        kind = _field(data, message, 1)
        header = _field(data, message, _HEADER)
        if kind and header:
            batch: int | None = None
            if data[kind] == _RECORD_BATCH:
                batch = _follow(data, header)
            elif data[kind] == _DICTIONARY_BATCH:
                inner = _field(data, _follow(data, header), _DATA)
                batch = _follow(data, inner) if inner else None
            if batch is not None and _field(data, batch, _COMPRESSION):
                raise UserError(
                    Reason.UNSUPPORTED,
                    "the record batches are compressed; send them as they are",
                    field="batches",
                )
        body = _field(data, message, _BODY_LENGTH)
        size = struct.unpack_from("<q", data, body)[0] if body else 0
        if size < 0:
            return
        at = start + length + size


def _field(data: bytes, table: int, number: int) -> int:
    """Return where field *number* of a flatbuffers table lies, 0 if it is not set."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0:
        return 0
    entry = 4 + 2 * number
    if entry >= struct.unpack_from("<H", data, vtable)[0]:
        return 0
    offset = struct.unpack_from("<H", data, vtable + entry)[0]
    return table + offset if offset else 0


def _follow(data: bytes, at: int) -> int:
    return at + int(struct.unpack_from("<I", data, at)[0])
