"""The requests of `caring`: a part of `Requests`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from headcount.care.schema_change import Renames
from headcount.model.schema import Schema
from headcount.rpc import convert, convert_care
from headcount.v1 import admin_pb2 as pb
from headcount.v1 import common_pb2


class CaringRequests:
    """Makes requests about workspaces themselves."""

    workspace: str

    def begun_anew(self, workspace: str) -> None:
        """Take note that *workspace* was just made."""
        raise NotImplementedError

    def create_workspace(self, name: str, schema: Schema) -> pb.CreateWorkspaceRequest:
        """Return the request to make a workspace."""
        return pb.CreateWorkspaceRequest(workspace=name, schema=convert.to_schema(schema))

    def list_workspaces(self, page_size: int, page_token: str) -> pb.ListWorkspacesRequest:
        """Return the request for a page of the workspaces."""
        return pb.ListWorkspacesRequest(page_size=page_size, page_token=page_token)

    def drop_workspace(self, name: str) -> pb.DropWorkspaceRequest:
        """Return the request to remove a workspace."""
        return pb.DropWorkspaceRequest(workspace=name)

    def update_schema(
        self, schema: Schema, renames: Renames, request_id: str | None, *, allow_drop: bool
    ) -> pb.UpdateSchemaRequest:
        """Return the request for another schema."""
        return pb.UpdateSchemaRequest(
            workspace=self.workspace,
            request_id=uuid.uuid4().hex if request_id is None else request_id,
            min_version=self._version(),
            schema=convert.to_schema(schema),
            renames=convert_care.to_renames(renames),
            allow_drop=allow_drop,
        )

    def snapshot(self) -> pb.SnapshotRequest:
        """Return the request for a new generation."""
        return pb.SnapshotRequest(workspace=self.workspace, min_version=self._version())

    def compact(self) -> pb.CompactRequest:
        """Return the request for a compaction."""
        return pb.CompactRequest(workspace=self.workspace, min_version=self._version())

    def backup(self, name: str, workspaces: Sequence[str]) -> pb.BackupRequest:
        """Return the request for a copy."""
        return pb.BackupRequest(name=name, workspaces=workspaces)

    def check(self) -> pb.CheckRequest:
        """Return the request to look whether all is well."""
        return pb.CheckRequest(workspace=self.workspace, min_version=self._version())

    def _version(self) -> common_pb2.Version | None:
        raise NotImplementedError
