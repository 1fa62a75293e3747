"""A folder of data opened in this process; what it answers is in `client/test_client.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headcount.client import Client
from headcount.embedded import Workspace
from headcount.index.view import Version, View
from headcount.index.workspace import save_view
from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.query.limits import Limits
from headcount.rpc.app import Server
from headcount.rpc.config import load
from headcount.rpc.workspaces import open_workspaces
from support.serving import EMPTY_VIEW
from support.small_workspace import AS_OF, COUNT, SCHEMA, view


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two workspaces."""
    save_view(tmp_path, "default", view())
    save_view(tmp_path, "empty", EMPTY_VIEW)
    return tmp_path


def test_a_folder_answers_as_what_was_saved(folder: Path) -> None:
    """An opened workspace has the schema, version, members and size of the view on disk."""
    saved = Workspace(view())
    with Workspace.open(folder) as opened:
        assert opened.schema() == SCHEMA
        text = "plan = Pro and opened in last 20 days or birthday > 1990-02-01"
        assert opened.answer(text, as_of=AS_OF).info.version == Version(3, 14)
        assert list(opened.members(text, as_of=AS_OF)) == list(saved.members(text, as_of=AS_OF))
        assert opened.stats().contacts == COUNT
        assert list(opened.check()) == []
    assert Workspace.open(folder, "empty").count("everyone") == 0


def test_a_folder_or_workspace_that_is_not_there_is_a_users_error(folder: Path) -> None:
    """What does not exist is refused with what to do."""
    for path, name in ((folder / "none", "default"), (folder, "defaul")):
        with pytest.raises(UserError) as caught:
            Workspace.open(path, name)
        assert caught.value.reason is Reason.NOT_FOUND


def test_damage_is_named(folder: Path) -> None:
    """A flipped bit in the workspace's file is found before anything is answered."""
    (path,) = (folder / "workspaces" / "default").glob("*.db")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptionError) as caught:
        Workspace.open(folder)
    assert caught.value.path == path


def test_limits_are_settings(folder: Path) -> None:
    """A workspace can be opened with limits of its own."""
    opened = Workspace.open(folder, limits=Limits(conditions=1))
    assert opened.count("plan = Pro") > 0
    with pytest.raises(UserError) as caught:
        opened.count("plan = Pro and vip = true")
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


def test_a_disagreement_is_reported() -> None:
    """`check` says what does not fit."""
    blocks = view().blocks
    twisted = View(SCHEMA, (blocks[1], blocks[0], *blocks[2:]), Version(1, 1), view().block_rows)
    assert any("stands in place" in message for message in Workspace(twisted).check())


def test_a_server_opens_every_workspace_of_the_folder(folder: Path) -> None:
    """All workspaces of a data folder are served, each under its name."""
    config = load(flags={"server.listen": "127.0.0.1:0", "log.level": "error"})
    server = Server(config, open_workspaces(folder))
    server.start()
    try:
        for name, count in (("default", COUNT), ("empty", 0), ("", COUNT)):
            with Client(server.address, workspace=name) as client:
                assert client.count("everyone") == count
    finally:
        server.stop()


def test_no_network_is_imported() -> None:
    """The embedded workspace does not load gRPC."""
    program = "import sys, headcount.embedded; sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
