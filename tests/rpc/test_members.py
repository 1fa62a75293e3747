"""Members survive the wire in every format, in messages of the size that was promised."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.client import decode
from headcount.index.block import Block
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field, FieldType, Schema
from headcount.rpc import members
from headcount.v1 import segments_pb2 as pb

BLOCK_ROWS = 64
SCHEMA = Schema(
    fields={
        "city": Field("city", FieldType.KEYWORD),
        "note": Field("note", FieldType.TEXT),
        "spent": Field("spent", FieldType.NUMBER),
    }
)
NOTE_BYTES = 9000

Messages = Iterator[pb.StreamMembersResponse]


def blocks(ids: list[str], schema: Schema = SCHEMA, block_rows: int = BLOCK_ROWS) -> list[Block]:
    """Return blocks of contacts with these ids; every third has a city, every fifth a long note."""
    built = []
    for number, start in enumerate(range(0, len(ids), block_rows)):
        part = ids[start : start + block_rows]
        rows = range(start, start + len(part))
        table = {
            "id": pa.array(part, pa.string()),
            "city": pa.array([f"city {r % 7}" if r % 3 == 0 else None for r in rows], pa.string()),
            "note": pa.array(["n" * NOTE_BYTES if r % 5 == 0 else None for r in rows], pa.string()),
            "spent": pa.array([float(r) for r in rows], pa.float64()),
        }
        known = {"id", *schema.fields}
        chosen = pa.table({n: column for n, column in table.items() if n in known})
        built.append(Block.build(number, chosen, {}, schema))
    return built


MANY = blocks([f"contact-{n:x}" for n in range(20_000)], Schema(), 4096)
SMALL = blocks([str(n * n) for n in range(300)])

selections = st.lists(st.integers(0, 299), unique=True).map(sorted)


def found(chosen: list[int]) -> list[tuple[Block, BitMap]]:
    """Return the rows of `SMALL` with these ordinals, as an engine yields them."""
    return [
        (block, BitMap([n % BLOCK_ROWS for n in chosen if n // BLOCK_ROWS == block.number]))
        for block in SMALL
    ]


def everyone(of: list[Block]) -> list[tuple[Block, BitMap]]:
    """Return all rows."""
    return [(block, block.live) for block in of]


def over_the_wire(messages: Messages) -> list[pb.StreamMembersResponse]:
    """Return the messages as a client gets them."""
    return [pb.StreamMembersResponse.FromString(m.SerializeToString()) for m in messages]


@settings(max_examples=50)
@given(selections, st.integers(0, 320))
def test_every_format_gives_the_same_members(chosen: list[int], limit: int) -> None:
    """Ids, integers, Arrow and ordinals agree with the rows that were found, up to the limit."""
    kept = chosen[:limit] if limit else chosen
    expected = [str(n * n) for n in kept]

    as_ids = over_the_wire(members.as_ids(found(chosen), limit))
    assert [i for message in as_ids for i in decode.ids(message)] == expected

    packed = over_the_wire(members.as_uint64(found(chosen), limit))
    assert [int(i) for message in packed for i in decode.integers(message)] == [n * n for n in kept]

    roaring = over_the_wire(members.as_roaring(found(chosen), limit, BLOCK_ROWS))
    assert BitMap.union(BitMap(), *map(decode.ordinals, roaring)) == BitMap(kept)

    arrow = over_the_wire(members.as_arrow(found(chosen), limit, ()))
    assert arrow_table(arrow).column("id").to_pylist() == expected

    for messages in (as_ids, packed, roaring, arrow):
        assert sum(message.count for message in messages) == len(kept)


def arrow_table(messages: list[pb.StreamMembersResponse]) -> pa.Table:
    """Return the table of an Arrow stream, read by pyarrow itself."""
    whole = b"".join(message.arrow for message in messages)
    return pa.ipc.open_stream(pa.py_buffer(whole)).read_all()


def test_arrow_carries_the_chosen_fields() -> None:
    """Fields arrive in the order asked for, with their types, missing values missing."""
    fields = [SCHEMA.fields[name] for name in ("spent", "city")]
    messages = over_the_wire(members.as_arrow(everyone(SMALL), 0, fields))
    table = arrow_table(messages)
    assert table.schema.names == ["id", "spent", "city"]
    assert table.schema.field("spent").type == pa.float64()
    assert table.column("spent").to_pylist() == [float(n) for n in range(300)]
    assert table.column("city").to_pylist()[:4] == ["city 0", None, None, "city 3"]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_an_arrow_stream_is_read_however_it_is_cut(cuts: list[int], seed: int) -> None:
    """The client's reader gives the same batches for any cutting of the bytes into messages."""
    whole = b"".join(m.arrow for m in members.as_arrow(everyone(SMALL), 0, ()))
    random = np.random.default_rng(seed)
    reader = decode.ArrowReader()
    rows: list[str] = []
    at = 0
    while at < len(whole):
        size = cuts[int(random.integers(len(cuts)))]
        piece = pb.StreamMembersResponse(arrow=whole[at : at + size])
        rows += [i for batch in reader.feed(piece) for i in batch.column("id").to_pylist()]
        at += size
    assert rows == [str(n * n) for n in range(300)]


def test_an_arrow_stream_of_nobody_is_a_stream() -> None:
    """Without members there is still a schema, and the end."""
    messages = list(members.as_arrow(found([]), 0, [SCHEMA.fields["city"]]))
    table = arrow_table(messages)
    assert table.num_rows == 0
    assert table.schema.names == ["id", "city"]


@pytest.mark.parametrize(
    ("of", "fields"), [(MANY, []), (SMALL, ["note"]), (MANY[:1], []), (SMALL[:1], ["note"])]
)
def test_messages_are_between_64_and_256_kib(of: list[Block], fields: list[str]) -> None:
    """All messages but the last are in the range that streams fastest, whatever the blocks are."""
    chosen = [SCHEMA.fields[name] for name in fields]
    for messages in (members.as_ids(everyone(of), 0), members.as_arrow(everyone(of), 0, chosen)):
        sizes = [message.ByteSize() for message in messages]
        assert max(sizes) < (256 << 10) + 100
        assert all(size >= 64 << 10 for size in sizes[:-2])  # Arrow's end is a message of its own


def test_integers_come_in_large_messages() -> None:
    """Packed integers of many small blocks are joined to messages of the promised size."""
    many = blocks([str(10**9 + n) for n in range(80_000)], Schema(), 1024)
    sizes = [m.ByteSize() for m in members.as_uint64(everyone(many), 0)]
    assert len(sizes) > 2
    assert all(64 << 10 <= size <= 256 << 10 for size in sizes[:-1])


@pytest.mark.parametrize("odd", ["0042", "0x2a", "-1", "1.0", "a", " 1", "18446744073709551616"])
def test_an_id_that_is_no_integer_is_a_users_error(odd: str) -> None:
    """An id that would not come back the same is refused, without quoting it."""
    of = blocks(["1", odd, "3"], Schema())
    with pytest.raises(UserError) as caught:
        list(members.as_uint64(everyone(of), 0))
    assert caught.value.reason is Reason.INVALID_VALUE
    assert repr(odd) not in caught.value.message
    whole = blocks(["0", "18446744073709551615"], Schema())
    (message,) = members.as_uint64(everyone(whole), 0)
    assert decode.integers(message).tolist() == [0, 2**64 - 1]


def test_only_arrow_has_fields() -> None:
    """Fields in another format, and an unknown format, are refused."""

    class View:
        schema = SCHEMA
        block_rows = BLOCK_ROWS

    for request, field in (
        (pb.StreamMembersRequest(fields=["city"]), "fields"),
        (pb.StreamMembersRequest(format=17), "format"),  # type: ignore[arg-type]
    ):
        with pytest.raises(UserError) as caught:
            members.messages([], request, View(), lambda _: ())  # type: ignore[arg-type]
        assert caught.value.field == field


def test_a_damaged_message_is_an_error_and_no_crash() -> None:
    """Offsets that point outside of the text are found before they are followed."""
    (message,) = members.as_ids(found([1, 2, 3]), 0)
    message.ids.offsets = np.array([0, 5, 10**9, 3], dtype="<u4").tobytes()
    with pytest.raises(pa.ArrowInvalid):
        decode.ids(message)
