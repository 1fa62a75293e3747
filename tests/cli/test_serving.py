"""The commands that serve."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from headcount.cli.main import run


def test_demo_shows_counts(tmp_path: Path) -> None:
    """`demo --once` makes a workspace, serves it, shows counts, and says how to go on."""
    command = [sys.executable, "-m", "headcount.cli.main", "demo", "--contacts", "2000"]
    command += ["--data", str(tmp_path / "demo"), "--listen", "127.0.0.1:0", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "opened in last 30 days" in done.stderr
    assert "headcount count" in done.stderr
    assert "contacts  2,000 new" in done.stdout


def test_serving_a_folder_that_is_not_there_makes_none(tmp_path: Path) -> None:
    """A mistyped folder is an error, and stays a folder that is not there."""
    assert run(["serve", "--data", str(tmp_path / "mistyped")]) == 1
    assert not (tmp_path / "mistyped").exists()
