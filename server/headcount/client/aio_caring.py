"""The part of the asyncio client that cares for workspaces: schema, compaction, backups."""

from __future__ import annotations

from collections.abc import Sequence

from headcount.answers_care import (
    BackedUp,
    Compacted,
    SchemaUpdate,
    Snapshotted,
    WorkspaceInfo,
    WorkspacePage,
)
from headcount.care.schema_change import Renames
from headcount.client import methods
from headcount.client.calls import AsyncCalls
from headcount.client.caring import CARE_SECONDS, NO_RENAMES
from headcount.model.schema import Schema
from headcount.rpc import convert_care


class AsyncCaring(AsyncCalls):
    """Makes and drops workspaces, changes their schema, compacts and copies them."""

    async def create_workspace(
        self, name: str, schema: Schema, *, timeout: float = CARE_SECONDS
    ) -> WorkspaceInfo:
        """Make an empty workspace, and return it."""
        request = self._requests.create_workspace(name, schema)
        answer = await self._call(methods.CREATE_WORKSPACE, request, timeout)
        self._requests.begun_anew(name)
        return convert_care.workspace(answer.workspace)

    async def list_workspaces(
        self, *, page_size: int = 0, page_token: str = "", timeout: float = CARE_SECONDS
    ) -> WorkspacePage:
        """Return a page of the workspaces by name; 0 is the default size."""
        request = self._requests.list_workspaces(page_size, page_token)
        return convert_care.workspace_page(
            await self._call(methods.LIST_WORKSPACES, request, timeout)
        )

    async def drop_workspace(self, name: str, *, timeout: float = CARE_SECONDS) -> None:
        """Remove a workspace with everything in it, for good."""
        await self._call(methods.DROP_WORKSPACE, self._requests.drop_workspace(name), timeout)

    async def update_schema(
        self,
        schema: Schema,
        renames: Renames = NO_RENAMES,
        *,
        allow_drop: bool = False,
        request_id: str | None = None,
        timeout: float = CARE_SECONDS,
    ) -> SchemaUpdate:
        """
        Change the schema of the workspace, all of it or nothing.

        What it lacks is renamed, or dropped with its data if *allow_drop* says so. Values that a
        new type cannot take are in the answer, and then nothing is changed.
        """
        request = self._requests.update_schema(schema, renames, request_id, allow_drop=allow_drop)
        answer = await self._call(methods.UPDATE_SCHEMA, request, timeout)
        self._requests.info(answer.info)
        return convert_care.schema_update(answer)

    async def snapshot(self, *, timeout: float = CARE_SECONDS) -> Snapshotted:
        """Write a new generation of files, so that the next start has less log to read."""
        answer = await self._call(methods.SNAPSHOT, self._requests.snapshot(), timeout)
        self._requests.info(answer.info)
        return convert_care.snapshotted(answer)

    async def compact(self, *, timeout: float = CARE_SECONDS) -> Compacted:
        """Rebuild what writes left behind; return when nothing that was erased is on the disk."""
        answer = await self._call(methods.COMPACT, self._requests.compact(), timeout)
        self._requests.info(answer.info)
        return convert_care.compacted(answer)

    async def backup(
        self, to: str, *, workspaces: Sequence[str] = (), timeout: float = CARE_SECONDS
    ) -> BackedUp:
        """Copy workspaces, all if none is named, into the folder called *to* of the server's."""
        answer = await self._call(methods.BACKUP, self._requests.backup(to, workspaces), timeout)
        return convert_care.backed_up(answer)

    async def check(self, *, timeout: float = CARE_SECONDS) -> list[str]:
        """Return a sentence for each structure that disagrees with its source; none if well."""
        answer = await self._call(methods.CHECK, self._requests.check(), timeout)
        self._requests.info(answer.info)
        return list(answer.findings)
