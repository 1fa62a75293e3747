"""
The load: files in, a new generation of the workspace out, or nothing changed at all.

    1  contacts files ─┐
    2  lists files     ├─ typed batches, ordinals ─→ spill, by block ─→ build ─→ snapshot
    3  events files ───┘        │
                                └─→ rejects

All files are read before the first block is built, since any row may belong to any block. Then the
touched blocks are built one after the other, from what is stored and what waits for them, and
written as they are done; the others are copied. The snapshot's commit publishes it all at once; a
load that stops before that leaves what was there, and no temporary file.

Memory holds the ids of all contacts, two blocks and the spill's budget, whatever the size of the
files. Files are decoded and blocks are built in other threads (`ahead`, `Blocks`). Measured on 2
cores: 1M contacts of 15 columns, 10M events and 570k list rows from Parquet take 6.8 s, 3.3 of them
building, and at most 1.5 GB.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from headcount.index.block import BLOCK_ROWS
from headcount.index.ids import IdColumn
from headcount.live.writer import LiveWorkspace
from headcount.load import contacts as contact_files
from headcount.load import events as event_files
from headcount.load import lists as list_files
from headcount.load.ahead import ahead
from headcount.load.batch import Batch, Columns
from headcount.load.blocks import Blocks
from headcount.load.contacts import ContactFiles
from headcount.load.events import EventFiles
from headcount.load.evolve import evolved
from headcount.load.infer import Proposal, propose
from headcount.load.known_ids import KnownIds
from headcount.load.lists import ListFiles
from headcount.load.members import Members
from headcount.load.progress import Progress, Step, silent
from headcount.load.rejects import Rejects
from headcount.load.sources import check_file, open_source
from headcount.load.spill import DEFAULT_BUDGET, Spill
from headcount.load.summary import LoadSummary
from headcount.model import schema_toml
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.storage import manifest
from headcount.storage.folder import WriterLock, check_name
from headcount.storage.log import needs_replay
from headcount.storage.snapshot import Snapshot, SnapshotMeta, open_snapshot, write_snapshot

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def load(
    folder: Path,
    *,
    schema: Schema | None = None,
    contacts: Sequence[Path] = (),
    events: Sequence[Path] = (),
    lists: Sequence[Path] = (),
    rejects_path: Path,
    now: dt.datetime,
    workspace: str = "default",
    strict: bool = False,
    create_contacts: bool = False,
    infer: bool = False,
    show: Callable[[Proposal], None] = lambda _: None,
    check: Callable[[Schema], None] = lambda _: None,
    progress: Progress = silent,
    clock: Callable[[], float] = time.perf_counter,
    block_rows: int = BLOCK_ROWS,
    budget: int = DEFAULT_BUDGET,
) -> LoadSummary:
    """
    Load files into *workspace* of the data *folder*, which is made if need be; return the counts.

    A workspace that exists is added to: known contacts get the files' columns, new ones are
    appended. What was written to it since its last compaction is compacted first. *schema* extends
    the stored one and may then be left out. With *infer* the columns and event types that it lacks
    are added to it; *show* gets the result before anything is loaded, and may raise to stop, as may
    *check*, which gets the whole schema that is loaded with. Refused rows
    go to *rejects_path*; *strict* makes the first of them an error.
    *create_contacts* makes contacts of ids that only events or lists name.

    *now* becomes the epoch of a new workspace. *clock* returns seconds, for the durations.
    *block_rows* is that of a new workspace; *budget* the bytes of rows that wait in memory.

    Raises:
        UserError: a file cannot be read, the schema does not fit, the folder is in use. Nothing was
            changed.
        CorruptionError: what is stored is damaged.
    """
    check_name(workspace)
    inputs = [*contacts, *events, *lists]
    for path in inputs:
        check_file(path)
    started = clock()
    with ExitStack() as stack:
        lock = stack.enter_context(WriterLock(folder))
        workspaces = manifest.begin(folder).workspaces  # now the folder may hold other files too
        stored = None
        if workspace in workspaces:
            stored = stack.enter_context(_stored(folder, workspace, lock, now))
        rejects = stack.enter_context(Rejects(rejects_path, strict=strict, inputs=inputs))
        spill = stack.enter_context(Spill(folder, budget))
        wanted = _schema(workspace, stored, schema, infer=infer)
        if infer:
            any_id = stored is None and schema is None
            proposal = propose(wanted, contacts, events, progress, any_id=any_id)
            show(proposal)
            wanted = proposal.schema
        check(wanted)
        if stored is not None:
            block_rows = stored.meta.block_rows
        known = _known_ids(stored)
        members = Members(known, create=create_contacts)
        takes_contacts = ContactFiles(wanted, known, spill, rejects, block_rows)
        takes_lists = ListFiles(wanted, members, spill, rejects, block_rows)
        takes_events = EventFiles(wanted, members, spill, rejects, block_rows)
        for path in contacts:
            _read(path, contact_files.columns(wanted), partial(takes_contacts.add, path), progress)
        known.settle()
        for path in lists:
            _read(path, list_files.columns(wanted), partial(takes_lists.add, path), progress)
        for path in events:
            _read(path, event_files.columns(wanted), partial(takes_events.add, path), progress)
        read = clock()
        blocks = Blocks(wanted, stored, known, spill, block_rows)
        meta = _meta(wanted, stored, block_rows, now)
        generation = write_snapshot(
            folder, workspace, meta, blocks.built(progress), blocks.unchanged, lock=lock
        )
        return LoadSummary(
            contacts_new=takes_contacts.new,
            contacts_updated=takes_contacts.updated,
            contacts_refused=takes_contacts.refused,
            contacts_created=members.created,
            events_loaded=takes_events.taken - blocks.repeats,
            events_repeated=blocks.repeats,
            events_refused=takes_events.refused,
            lists_loaded=takes_lists.taken,
            lists_refused=takes_lists.refused,
            reasons=dict(rejects.reasons.most_common()),
            rejects=rejects_path if rejects.rows else None,
            blocks_built=len(blocks.touched),
            generation=generation,
            read_seconds=read - started,
            build_seconds=clock() - read,
        )


def _stored(folder: Path, workspace: str, lock: WriterLock, now: dt.datetime) -> Snapshot:
    """Return the live generation, made now if there are commits behind it."""
    stored = open_snapshot(folder, workspace)
    if not needs_replay(folder, workspace, stored.meta.version):
        return stored
    stored.close()
    with LiveWorkspace.open(folder, workspace, lock, clock=lambda: _micros(now)) as live:
        live.compact()
    return open_snapshot(folder, workspace)


def _schema(
    workspace: str, stored: Snapshot | None, given: Schema | None, *, infer: bool
) -> Schema:
    """Return the schema to load with, before anything is inferred."""
    if stored is not None:
        before = schema_toml.parse(stored.meta.schema_toml, str(stored.path))
        return before if given is None else evolved(before, given)
    if given is None and not infer:
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"workspace `{workspace}` is new and needs a schema; give one, or load with --infer to"
            " have it proposed from the files",
        )
    return given or Schema()


def _known_ids(stored: Snapshot | None) -> KnownIds:
    """Return the ids of all stored contacts, by ordinal; nothing else of them is kept."""
    known = KnownIds()
    if stored is not None:
        for number in stored.block_numbers:
            assert known.count == number * stored.meta.block_rows, "only the last block is short"
            parts = stored.stored(number)
            known.add(IdColumn.from_parts(parts, "ids/", parts.document("block")["rows"]).array)
    return known


def _read(path: Path, columns: Columns, take: Callable[[Batch], None], progress: Progress) -> None:
    size, rows = path.stat().st_size, 0
    with open_source(path, columns) as source:
        for batch in ahead(source.batches()):
            take(batch)
            rows += batch.rows
            progress(Step(path.name, rows, source.position, size))


def _micros(instant: dt.datetime) -> int:
    return (instant - _EPOCH) // dt.timedelta(microseconds=1)


def _meta(
    schema: Schema, stored: Snapshot | None, block_rows: int, now: dt.datetime
) -> SnapshotMeta:
    text = schema_toml.render(schema)
    if stored is None:
        return SnapshotMeta(text, version=1, epoch=_micros(now), block_rows=block_rows)
    before = stored.meta
    return SnapshotMeta(text, before.version + 1, before.epoch, block_rows, before.extra)
