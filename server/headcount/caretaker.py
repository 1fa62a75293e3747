"""
Care for one live workspace: schema changes, compactions, snapshots, counted and measured.

What both the server and an open folder do; neither knows the network here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from headcount.answers_care import Compacted, SchemaUpdate, Snapshotted
from headcount.care.backup import folder_bytes
from headcount.care.schema_change import Renames, change, unconverted
from headcount.live.commit import Batch
from headcount.live.writer import LiveWorkspace
from headcount.load.wall import DAY_US, HOUR_US
from headcount.model.changes import Changes, ExpireStep
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.query.bind import check_schema
from headcount.storage import manifest
from headcount.storage.folder import generation_path, workspace_folder


class Caretaker:
    """Cares for one workspace. Any thread may use it."""

    def __init__(
        self,
        folder: Path,
        live: LiveWorkspace,
        settle: Callable[[], None],
        forget: Callable[[Sequence[str]], None],
    ) -> None:
        """
        *settle* lets those who follow the workspace write down how far they are, *forget* takes the
        ids of contacts out of what they keep.
        """
        self.live = live
        self._settle = settle
        self._forget = forget
        self._folder = folder

    def update_schema(
        self,
        schema: Schema,
        renames: Renames,
        *,
        allow_drop: bool,
        request_id: str = "",
        timeout: float | None = None,
    ) -> SchemaUpdate:
        """
        Change the schema, all of it or nothing, and return what became of it.

        Raises:
            UserError: INVALID_SCHEMA or UNKNOWN_NAME, it cannot be the schema of these data;
                CONFLICT, somebody else changed it at the same moment.
        """
        view = self.live.view
        made = change(view.schema, schema, renames, allow_drop=allow_drop)
        check_schema(made.schema)
        batch = Batch(Changes((made.step,)), request_id, (), view.schema)
        try:
            self.live.submit(batch).result(timeout)
        except TimeoutError:
            raise UserError(
                Reason.DEADLINE_EXCEEDED,
                "the time for this call is over, and the schema may be changed yet; look at it",
            ) from None
        except UserError as error:
            count, first = unconverted(view, made)
            if error.reason is not Reason.INVALID_SCHEMA or not count:
                raise
            return SchemaUpdate(view.schema, (), count, tuple(first), view.version)
        self.expire(self.live.instant())  # what is kept for less time now
        return SchemaUpdate(self.live.view.schema, made.dropped, 0, (), self.live.view.version)

    def expire(self, now: int) -> list[str]:
        """
        Let go of events that are older than their type keeps them at *now* (µs), by the hour.

        Returns the names of the types. No query sees such events when it returns; they are gone
        from memory and disk with the next compaction.
        """
        view = self.live.view
        steps = []
        for event in view.schema.events.values():
            before = (now - event.keep_days * DAY_US) // HOUR_US * HOUR_US
            if event.keep_days and before > view.expired.get(event.name, before - 1):
                steps.append(ExpireStep(event.name, before))
        if steps:
            self.live.submit(Batch(Changes(tuple(steps)))).result()
        return [step.event for step in steps]

    def erase_gone(self, contacts: Sequence[str]) -> None:
        """
        Take ids that no contact has any more out of what watches keep.

        They were deleted without erasing, or merged into others; nothing else names them once a
        compaction has ended.

        Raises:
            UserError: the disk is full.
        """
        self._settle()
        self._forget(contacts)

    def compact(self) -> Compacted:
        """
        Rebuild what writes have left behind, and return when nothing erased is on the disk.

        Events that are too old by the newest commit are gone too.

        Raises:
            UserError, CorruptionError, UnknownOutcomeError: as `LiveWorkspace.compact`.
        """
        home = workspace_folder(self._folder, self.live.name)
        before = folder_bytes(home)
        self.expire(self.live.last_commit)
        self._settle()
        # While the log still knows them: killed after it was cut, nobody would.
        self._forget(sorted(self.live.erased()))
        version = self.live.compact()
        erased = self.live.erased(version)
        self._forget(sorted(erased))
        self.live.forget_erased(version)
        return Compacted(len(erased), before, folder_bytes(home), version)

    def snapshot(self) -> Snapshotted:
        """Write a new generation, which a compaction does, and return it; raises as `compact`."""
        version = self.compact().version
        number = manifest.read(self._folder).workspaces[self.live.name].number
        size = generation_path(self._folder, self.live.name, number).stat().st_size
        return Snapshotted(number, size, version)
