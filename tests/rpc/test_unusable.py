"""A workspace whose schema means nothing: it is reported, and the others are served."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from headcount.index.workspace import save_view
from headcount.model.errors import Reason, UserError
from headcount.rpc.workspaces import open_workspaces
from headcount.storage.folder import WriterLock
from support.small_workspace import view

NOW = 1_770_000_000_000_000


def save(folder: Path, name: str, *, usable: bool = True) -> None:
    """Write the small workspace under a name, maybe with a calculated field of wrong types."""
    schema = view().schema
    if not usable:
        schema = dataclasses.replace(schema, calculated={"wrong": "city * 2"})
    save_view(folder, name, dataclasses.replace(view(), schema=schema))


@pytest.mark.parametrize("writable", [True, False])
def test_one_bad_workspace_does_not_stop_the_others(tmp_path: Path, *, writable: bool) -> None:
    """Questions to it are refused with what is wrong; the others are answered and written to."""
    save(tmp_path, "default")
    save(tmp_path, "bad", usable=False)
    with WriterLock(tmp_path) as lock:
        opened = open_workspaces(tmp_path, lock if writable else None, clock=lambda: NOW)
        try:
            assert opened.names == ["default"]
            assert opened.read("").view.live_count == view().live_count
            assert "`*` needs a number" in opened.unusable["bad"].message
            with pytest.raises(UserError, match=r"could not be opened.*needs a number") as refused:
                opened.read("bad")
            assert refused.value.reason is Reason.CONFLICT
            with pytest.raises(UserError, match="there is no workspace `other`"):
                opened.read("other")
            if writable:
                assert opened.writer("default").view.live_count == view().live_count
        finally:
            opened.close()


def test_a_server_of_nothing_but_bad_workspaces_does_not_start(tmp_path: Path) -> None:
    """Where nothing can be served, it says why."""
    save(tmp_path, "default", usable=False)
    with pytest.raises(UserError, match="needs a number"):
        open_workspaces(tmp_path)
