"""The service `Admin`: convert, call, convert."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from headcount.care.backup import back_up
from headcount.caretaker import Caretaker
from headcount.index import stats
from headcount.index.view import Version
from headcount.members import pages
from headcount.model.errors import Reason, UserError
from headcount.query.bind import check_schema
from headcount.rpc import convert, convert_care
from headcount.rpc.call import Call
from headcount.rpc.config import Config
from headcount.rpc.questions import Questions, Request
from headcount.rpc.workspaces import Workspaces
from headcount.storage.folder import check_name
from headcount.v1 import admin_pb2 as pb
from headcount.v1 import common_pb2

_FINDINGS = 1000


class Admin:
    """Answers questions about workspaces themselves, and cares for them."""

    def __init__(
        self,
        questions: Questions,
        workspaces: Workspaces,
        config: Config,
        clock: Callable[[], int],
    ) -> None:
        self._questions = questions
        self._workspaces = workspaces
        self._config = config
        self._clock = clock  # µs since 1970 UTC

    def GetSchema(  # noqa: N802 (the name is the method's)
        self, request: pb.GetSchemaRequest, call: Call
    ) -> pb.GetSchemaResponse:
        """Return the names and types of a workspace."""
        asked = self._questions.about(request, call)
        return pb.GetSchemaResponse(schema=convert.to_schema(asked.view.schema), info=asked.info())

    def Stats(  # noqa: N802
        self, request: pb.StatsRequest, call: Call
    ) -> pb.StatsResponse:
        """Return how large a workspace is."""
        asked = self._questions.about(request, call)
        found = stats.measure(asked.view)
        return pb.StatsResponse(
            contacts=found.contacts,
            blocks=found.blocks,
            events=convert.to_counts(found.events),
            bytes_by_kind=convert.to_counts(found.bytes_by_kind),
            bytes_by_index=convert.to_counts(found.bytes_by_index),
            info=asked.info(),
        )

    def CreateWorkspace(  # noqa: N802
        self, request: pb.CreateWorkspaceRequest, _call: Call
    ) -> pb.CreateWorkspaceResponse:
        """Make an empty workspace."""
        schema = convert_care.given_schema(request.schema)
        check_schema(schema)
        view = self._workspaces.create(check_name(request.workspace), schema)
        return pb.CreateWorkspaceResponse(
            workspace=convert_care.to_workspace(request.workspace, view)
        )

    def ListWorkspaces(  # noqa: N802
        self, request: pb.ListWorkspacesRequest, _call: Call
    ) -> pb.ListWorkspacesResponse:
        """Return one page of the workspaces, by name; the token is the last name before it."""
        settings = self._config.calls
        size = pages.size(request.page_size, settings.page_size, settings.page_size_max)
        views = self._workspaces.views()
        names = list(views)
        start = bisect_right(names, request.page_token) if request.page_token else 0
        found = names[start : start + size]
        return pb.ListWorkspacesResponse(
            workspaces=[convert_care.to_workspace(name, views[name]) for name in found],
            next_page_token=found[-1] if start + size < len(names) else "",
        )

    def DropWorkspace(  # noqa: N802
        self, request: pb.DropWorkspaceRequest, _call: Call
    ) -> pb.DropWorkspaceResponse:
        """Remove a workspace with everything in it."""
        self._workspaces.drop(check_name(request.workspace))
        return pb.DropWorkspaceResponse()

    def UpdateSchema(  # noqa: N802
        self, request: pb.UpdateSchemaRequest, call: Call
    ) -> pb.UpdateSchemaResponse:
        """Change the schema of a workspace, or return the values that stand in the way."""
        caretaker = self._caretaker(request)
        found = caretaker.update_schema(
            convert_care.given_schema(request.schema),
            convert_care.renames(list(request.renames)),
            allow_drop=request.allow_drop,
            request_id=request.request_id,
            timeout=call.remaining,
        )
        return pb.UpdateSchemaResponse(
            schema=convert.to_schema(found.schema),
            unconverted_count=found.unconverted_count,
            unconverted=map(convert_care.to_unconverted, found.unconverted),
            dropped=found.dropped,
            info=self._info(caretaker, call, found.version),
        )

    def Snapshot(  # noqa: N802
        self, request: pb.SnapshotRequest, call: Call
    ) -> pb.SnapshotResponse:
        """Write a new generation of a workspace's files."""
        caretaker = self._caretaker(request)
        found = caretaker.snapshot()
        return pb.SnapshotResponse(
            generation=found.generation,
            bytes=found.bytes,
            info=self._info(caretaker, call, found.version),
        )

    def Compact(  # noqa: N802
        self, request: pb.CompactRequest, call: Call
    ) -> pb.CompactResponse:
        """Rebuild what writes have left behind."""
        caretaker = self._caretaker(request)
        found = caretaker.compact()
        return pb.CompactResponse(
            erased=found.erased,
            bytes_before=found.bytes_before,
            bytes_after=found.bytes_after,
            info=self._info(caretaker, call, found.version),
        )

    def Backup(  # noqa: N802
        self, request: pb.BackupRequest, _call: Call
    ) -> pb.BackupResponse:
        """Copy workspaces into a new folder, while they are written to."""
        source, backups = self._workspaces.folder, self._config.server.backups
        if source is None or not backups:
            raise UserError(
                Reason.CONFLICT,
                "this server makes no backups: set server.backups to the folder for them",
                field="name",
            )
        target = Path(backups) / check_name(request.name, "backup", "name")
        chosen = list(request.workspaces) or self._workspaces.names
        views = {name: self._workspaces.read(name).view for name in chosen}
        size = back_up(source, target, views, beside=self._workspaces.copy_watches)
        return pb.BackupResponse(
            folder=str(target),
            bytes=size,
            workspaces=[convert_care.to_workspace(name, view) for name, view in views.items()],
        )

    def Check(  # noqa: N802
        self, request: pb.CheckRequest, call: Call
    ) -> pb.CheckResponse:
        """Hold every redundant structure of a workspace against its source, and read its log."""
        asked = self._questions.about(request, call)
        findings = list(itertools.islice(asked.view.check(), _FINDINGS))
        findings += self._workspaces.check_files(request.workspace)
        return pb.CheckResponse(findings=findings, info=asked.info())

    def _caretaker(self, request: Request) -> Caretaker:
        seen = request.min_version if request.HasField("min_version") else None
        version = None if seen is None else convert.version(seen)
        return self._workspaces.caretaker(request.workspace, version)

    def _info(self, caretaker: Caretaker, call: Call, version: Version) -> common_pb2.AnswerInfo:
        zone = caretaker.live.view.schema.time_zone
        return convert.to_info(self._clock(), zone, version, call.elapsed)
