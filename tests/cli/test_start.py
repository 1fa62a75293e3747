"""How a command starts: with what it needs, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

_START = """
import sys
from headcount.cli.main import main
sys.argv = ["headcount", *sys.argv[1:]]
try:
    main()
except SystemExit as left:
    assert not left.code
import pyarrow as pa
pa.array([1.5])  # where pyarrow looks for pandas
print(*sorted(sys.modules), sep="\\n")
"""


def modules(*words: str) -> set[str]:
    """Return the modules that are imported once a command was run in a process of its own."""
    command = [sys.executable, "-c", _START, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("words", [("load", "--help"), ("format", "everyone")])
def test_pandas_is_not_looked_for(words: tuple[str, ...]) -> None:
    """Arrow would import it, where it is installed, to see whether a list is one of its tables."""
    assert "pandas" not in modules(*words)


def test_a_load_reads_no_segments_and_calls_nobody() -> None:
    """Neither the language nor gRPC is imported to load files."""
    found = modules("load", "--help")
    assert "headcount.load.loader" in found
    assert not found & {"headcount.query.parse", "headcount.client", "headcount.rpc.app", "grpc"}
