"""The memory of results as a setting: shared by all workspaces of a server, or off."""

from __future__ import annotations

from pathlib import Path

from headcount.embedded import Workspace
from headcount.index.workspace import save_view
from headcount.query.results import DEFAULT_BYTES, Results
from headcount.rpc.config import load
from headcount.rpc.workspaces import open_workspaces
from support.small_workspace import AS_OF, view


def test_workspaces_of_a_server_share_one_memory(tmp_path: Path) -> None:
    """What one remembers leaves less for the others; what they hold does not mix."""
    for name in ("default", "other"):
        save_view(tmp_path, name, view())
    results = Results()
    opened = open_workspaces(tmp_path, results=results)
    assert opened.read("default").results is results
    assert opened.read("other").results is results
    assert open_workspaces(tmp_path).read("other").results.capacity == DEFAULT_BYTES


def test_the_memory_is_a_setting() -> None:
    """On by default; turned off, or another size, from wherever settings come."""
    assert load().memory.remember
    assert load().memory.results_bytes == DEFAULT_BYTES
    assert not load(environ={"HEADCOUNT__MEMORY__REMEMBER": "off"}).memory.remember
    assert load(flags={"memory.results_bytes": 1_000_000}).memory.results_bytes == 1_000_000


def test_a_folder_can_be_asked_without_memory(tmp_path: Path) -> None:
    """The embedded workspace remembers unless it is told not to; the answers are the same."""
    save_view(tmp_path, "default", view())
    query = "spent > 10 and opened in last 30 days or not vip = true"
    counts = []
    for results in (None, Results(0)):
        with Workspace.open(tmp_path, results=results) as workspace:
            counts += [workspace.count(query, as_of=AS_OF) for _ in range(2)]
    assert len(set(counts)) == 1
