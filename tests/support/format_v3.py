"""
Makes tests/data/v3, the sample of format 3: `python -m support.format_v3` in tests/.

It was run once, and once by the last version that wrote format 2, into tests/data/contacts-v2. The
files are never made anew: what a released version wrote must stay readable.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa

from headcount.index.block import Block, contact_schema
from headcount.model.schema import Schema
from headcount.model.schema_toml import parse
from headcount.storage.snapshot import SnapshotMeta, write_snapshot
from support import format_v1

DATA = Path(__file__).resolve().parent.parent / "data"
ROWS = 300
SCHEMA = '[fields]\nemail = "text"\nnote = "text"\ntags = "keywords"\n'


def schema() -> Schema:
    """Return the schema of the contacts."""
    return parse(SCHEMA)


def contacts() -> pa.Table:
    """Return contacts with ids of one length, and texts and sets that some have and some lack."""
    lengths = [n * 7 % 23 for n in range(ROWS)]
    columns = {
        "id": [f"c{n:06}" for n in range(ROWS)],
        "email": [f"{'Ann' * (1 + n % 3)}.{n}@example.com" for n in range(ROWS)],
        "note": [None if n % 5 == 0 else "é" * n + str(n) for n in lengths],
        "tags": [[f"tag {n % 7}", "all"][: n % 3] or None for n in range(ROWS)],
        "list": [["newsletter"] if n % 2 else None for n in range(ROWS)],
    }
    kinds = contact_schema(schema())
    return pa.table(
        {name: pa.array(held, kinds.field(name).type) for name, held in columns.items()}
    )


def main(folder: Path) -> None:
    """Write a generation of one block into a folder that must not exist."""
    assert not folder.exists(), "the sample of a format is made once"
    block = Block.build(0, contacts(), {}, schema())
    meta = SnapshotMeta(SCHEMA, 7, 3, 1 << 20, {"note": "contacts"})
    write_snapshot(folder, "contacts", meta, [(0, block.parts())], layout=format_v1.LAYOUT)


if __name__ == "__main__":
    main(DATA / sys.argv[1])
