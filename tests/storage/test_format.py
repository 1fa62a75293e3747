"""FORMAT.md says what is written, and files of released formats stay readable."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from headcount.index import parts
from headcount.index.workspace import open_view
from headcount.storage import log_mark, log_segment, manifest, tables
from headcount.storage.folder import WriterLock, generation_path
from headcount.storage.log import CommitLog, segment_path
from headcount.storage.log_mark import mark_path
from headcount.storage.log_segment import Answer, Entry, request_key
from headcount.storage.snapshot import open_snapshot
from support import format_v1, format_v3, stored, stored_log

PAGE = (Path(manifest.__file__).parent / "FORMAT.md").read_text()
GENERATION = PAGE.partition("## A generation\n")[2].partition("\n## ")[0]
DATA = Path(__file__).resolve().parent.parent / "data"

ENCODED = {
    "array:<i2": parts.array("x", np.array([1, -2], dtype=np.int16)),
    "bitmap": parts.bitmap("x", BitMap([1, 5])),
    "bitmaps": parts.bitmaps("x", [BitMap([1]), BitMap()]),
    "strings": parts.strings("x", pa.array(["ab", None, "c"])),
    "json": parts.document("x", {"b": 1, "a": [True, None]}),
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A generation that was really written, opened with SQLite alone."""
    stored.write(tmp_path, 1)
    with contextlib.closing(
        apsw.Connection(str(generation_path(tmp_path, "default", 1)))
    ) as database:
        yield database


def real_columns(database: apsw.Connection) -> dict[str, list[tuple[str, str]]]:
    """Return the name and type of each column of each table."""
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in database.execute(
        "SELECT tables.name, columns.name, columns.type"
        " FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns"
        " WHERE tables.type = 'table' ORDER BY tables.rowid, columns.cid"
    ):
        columns.setdefault(str(table), []).append((str(name), str(kind)))
    return columns


def test_the_drawing_is_the_schema(database: apsw.Connection) -> None:
    """The drawing names every table with every column, in order."""
    drawn = {
        table: columns.split(", ")
        for table, columns in re.findall(r"^(\w+) +\(([\w, ]+)\)", GENERATION, re.MULTILINE)
    }
    real = {t: [name for name, _ in columns] for t, columns in real_columns(database).items()}
    assert drawn == real


def test_the_table_of_columns_is_the_schema(database: apsw.Connection) -> None:
    """So does the list of columns, with their types."""
    rows = re.findall(r"^\| (\w+) \| (\w+) \| ([A-Z]+) \|", GENERATION, re.MULTILINE)
    listed: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in rows:
        listed.setdefault(table, []).append((column, kind))
    assert listed == real_columns(database)


def test_the_numbers_that_mark_a_file(database: apsw.Connection) -> None:
    """application_id and user_version are as the page says."""
    assert database.pragma("application_id") == tables.APPLICATION
    assert database.pragma("user_version") == manifest.FORMAT
    assert f"0x{tables.APPLICATION:X}" in PAGE
    assert f"# What is on disk, format {manifest.FORMAT}\n" in PAGE
    formats = re.findall(r"^\| (\d+) \| ", PAGE.partition("## Formats")[2], re.MULTILINE)
    assert [int(f) for f in formats] == list(range(1, manifest.FORMAT + 1))


def test_the_facts_are_the_ones_stored(database: apsw.Connection) -> None:
    """The names of the facts are listed in the order and spelling of the file."""
    stored_names = {str(n) for (n,) in database.execute("SELECT name FROM meta")}
    (row,) = re.findall(r"^\| meta \| name \| TEXT \| (.*) \|", GENERATION, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == stored_names


def test_the_manifest_shown_is_one(tmp_path: Path) -> None:
    """The example parses, checksum and all, and has the members of a real one."""
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    shown = manifest.parse(example.encode(), Path("example"))
    assert manifest.render(shown).decode() == example
    summed = re.search(r"The first (\d+) bytes are", PAGE)
    assert summed
    assert zlib.crc32(example.encode()[int(summed[1]) :]) == int(json.loads(example)["crc32"], 16)
    stored.write(tmp_path, 1)
    real = json.loads((tmp_path / "manifest.json").read_bytes())
    document = json.loads(example)
    assert list(document) == list(real)
    assert list(document["workspaces"]["default"]) == list(real["workspaces"]["default"])


def test_the_bytes_shown_are_the_encodings() -> None:
    """Every encoding has an example, and it is what the index writes."""
    shown = dict(re.findall(r"^\| `([\w:<]+)` \| .* \| `([0-9a-f ]+)` \|", PAGE, re.MULTILINE))
    assert shown == {name: bytes(part.data).hex(" ") for name, part in ENCODED.items()}
    assert all(part.encoding == name for name, part in ENCODED.items())
    drawn = re.search(r"```\narray:<dtype>.*?```", PAGE, re.DOTALL)
    assert drawn
    assert set(re.findall(r"^(\w+)", drawn[0], re.MULTILINE)) == {
        name.partition(":")[0] for name in ENCODED
    }


def test_the_sample_of_format_1_stays_readable() -> None:
    """What the first version wrote is read whole, and decodes to the values it was made from."""
    folder = DATA / "v1"
    assert manifest.list_workspaces(folder) == ("empty", "sample")
    with open_snapshot(folder, "empty") as snapshot:
        assert list(snapshot.blocks()) == []
        assert (snapshot.meta.epoch, snapshot.meta.version) == (3, 0)
    with open_snapshot(folder, "sample") as snapshot:
        meta = snapshot.meta
        found = dict(snapshot.blocks())
    assert meta.schema_toml == '[fields]\ncity = "keyword"\n'
    assert (meta.version, meta.epoch, meta.block_rows) == (41, 3, 1048576)
    assert meta.extra == {"note": "a sample of format 1"}
    assert list(found) == [0, 2]
    block = found[0]
    assert block.array("numbers").tolist() == [1.5, -2.0, 1e300]
    assert block.array("many").tolist() == list(range(1000))
    assert block.bitmap("live") == BitMap([0, 1, 5, 65_000])
    assert block.bitmaps("postings") == [BitMap([1]), BitMap(), BitMap(range(100))]
    assert block.strings("city").to_pylist() == ["Jakarta", None, "", "Malmö"]
    assert block.document("kind") == {"kind": "keyword", "rows": 4}
    assert found[2].array("empty").size == 0
    made = {n: [p.name for p in parts] for n, parts in format_v1.sample().items()}
    assert made == {n: list(parts) for n, parts in found.items()}


def test_every_format_has_a_sample() -> None:
    """A new format comes with files that later versions must read."""
    kept = sorted(p.name for p in DATA.glob("v*"))
    assert kept == [f"v{number}" for number in range(1, manifest.FORMAT + 1)]


def test_the_sample_of_format_2_stays_readable(tmp_path: Path) -> None:
    """So is a log of two segments behind a generation."""
    folder = tmp_path / "v2"
    shutil.copytree(DATA / "v2", folder)
    with open_snapshot(folder, "sample") as snapshot:
        assert (snapshot.meta.version, snapshot.meta.epoch) == (41, 3)
        assert snapshot.meta.extra == {"note": "a sample of format 2"}
        assert {n: list(found) for n, found in snapshot.blocks()} == {
            n: [p.name for p in made] for n, made in format_v1.sample().items()
        }
    at = format_v1.INSTANT
    with WriterLock(folder) as lock, CommitLog(folder, "sample", lock, epoch=3, after=41) as log:
        assert list(log.replay(41)) == [
            Entry(42, at, 1, b"the first"),
            Entry(43, at + 1, 2, bytes(5000)),
            Entry(44, at + 3, 0, b""),
        ]
        assert log.request("request one") == Answer(
            request_key("request one"), 43, at + 1, b"its answer"
        )
        assert log.request("request two") == Answer(request_key("request two"), 44, at + 3, b"")


@pytest.mark.parametrize("folder", ["contacts-v2", "v3"])
def test_contacts_of_formats_2_and_3_stay_readable(folder: str) -> None:
    """A block with ids, texts and sets, whose offsets are wide in format 2 and narrow in 3."""
    (block,) = open_view(DATA / folder, "contacts").blocks
    wanted = format_v3.contacts()
    held = block.contacts_table().select(wanted.column_names)
    sets = ("tags", "list")
    assert held.drop(sets).to_pydict() == wanted.drop(sets).to_pydict()
    for name in sets:
        assert [set(one or ()) for one in held.column(name).to_pylist()] == [
            set(one or ()) for one in wanted.column(name).to_pylist()
        ]
    assert [
        problem for index in (block.ids, *block.fields.values()) for problem in index.check()
    ] == []
    assert list(block.lists.check()) == []
    with open_snapshot(DATA / folder, "contacts") as snapshot:
        names = {name for _, found in snapshot.blocks() for name in found}
    assert ("ids/ids" in names, "list/offsets" in names) == (folder != "v3", folder != "v3")


def test_the_parts_with_narrow_offsets_are_as_listed() -> None:
    """Every part under which offsets or text lie is on the page."""
    page = PAGE.partition("## Parts with narrow offsets\n")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`…/([\w/]+)`", page))
    with open_snapshot(DATA / "v3", "contacts") as snapshot:
        found = dict(snapshot.blocks())[0]
    for name in ("ids/ids", "field/email/values", "field/email/keys", "field/tags", "list"):
        under = {part.removeprefix(f"{name}/") for part in found if part.startswith(f"{name}/")}
        about = {"text", "validity"} if "/" in name and "tags" not in name else set()
        assert under & (about | {p for p in under if p.startswith("offsets")}) <= listed
        assert "offsets/above" in under
    assert {"text", "validity", "offsets/about", "offsets/above", "offsets/anchors"} <= listed


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A segment of a log that was really written, opened with SQLite alone."""
    with stored_log.opened(tmp_path / "data") as log:
        stored_log.write(log, 3)
        log.close()
    path = segment_path(tmp_path / "data", stored_log.WORKSPACE, 1)
    with contextlib.closing(apsw.Connection(str(path))) as database:
        yield database


def test_the_log_is_as_drawn(segment: apsw.Connection) -> None:
    """The drawing, the list of columns, the facts and the numbers are those of a real segment."""
    page = PAGE.partition("## The log\n")[2].partition("\n## ")[0]
    real = real_columns(segment)
    assert real.keys() == {"meta", "commits", "requests"}
    drawn = re.findall(r"^(\w+) +\(([\w, ]+)\)", page, re.MULTILINE)
    assert {table: columns.split(", ") for table, columns in drawn} == {
        table: [name for name, _ in columns] for table, columns in real.items()
    }
    listed: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in re.findall(r"^\| (\w+) \| (\w+) \| ([A-Z]+) \|", page, re.MULTILINE):
        listed.setdefault(table, []).append((column, kind))
    assert listed == real
    (row,) = re.findall(r"^\| meta \| name \| TEXT \| (.*) \|", page, re.MULTILINE)
    facts = {str(name) for (name,) in segment.execute("SELECT name FROM meta")}
    assert set(re.findall(r"`(\w+)`", row)) == facts
    assert segment.pragma("application_id") == log_segment.APPLICATION
    assert segment.pragma("user_version") == manifest.FORMAT
    assert f"0x{log_segment.APPLICATION:X}" in page
    assert f"{log_mark.BYTES} bytes" in PAGE


def test_the_sums_of_the_log_are_as_described(segment: apsw.Connection, tmp_path: Path) -> None:
    """A reader who has only this page can check a segment and its mark."""
    chain = bytes(16)
    for sequence, at, records, requests, crc32, found, data in segment.execute(
        "SELECT * FROM commits ORDER BY sequence"
    ):
        assert crc32 == zlib.crc32(data)
        packed = chain + struct.pack("<qqqqI", sequence, at, records, requests, crc32)
        chain = hashlib.blake2b(packed, digest_size=16).digest()
        assert chain == found
    rows = list(segment.execute("SELECT * FROM requests"))
    assert rows
    for _, request, sequence, at, answer, crc32 in rows:
        assert zlib.crc32(request + struct.pack("<qq", sequence, at) + answer) == crc32
    assert rows[0][1] == hashlib.blake2b(b"request 3.0", digest_size=16).digest()
    data = mark_path(tmp_path / "data", stored_log.WORKSPACE).read_bytes()
    body = struct.pack("<4sIqq16s", b"HCMK", 1, stored_log.EPOCH, 3, chain)
    assert data == body + struct.pack("<I", zlib.crc32(body))
