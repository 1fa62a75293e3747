"""What an installed Headcount is: one name, typed, with its command and its grammar."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_one_name_is_installed(contents: list[str]) -> None:
    """The wheel installs `headcount` and nothing beside it but its own description."""
    tops = {name.partition("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"headcount"}


def test_all_of_it_is_in_the_wheel(contents: list[str]) -> None:
    """Every module, grammar, proto and format page of the three roots is in the wheel."""
    for root in ("proto", "indexer", "server"):
        kept = (".py", ".pyi", ".lark", ".proto", ".md", ".typed")
        sources = (p for p in (ROOT / root).rglob("*") if p.suffix in kept or p.name == "py.typed")
        expected = {
            p.relative_to(ROOT / root).as_posix() for p in sources if "headcount" in p.parts
        }
        expected = {name for name in expected if name.startswith("headcount/")}
        assert expected
        assert expected <= set(contents)


def test_it_is_typed(contents: list[str]) -> None:
    """Every package carries `py.typed`, and the namespace itself does not."""
    packages = {str(Path(name).parent) for name in contents if name.endswith(".py")}
    packages -= {"headcount"}
    assert {p for p in packages if f"{p}/py.typed" not in contents} == set()
    assert "headcount/__init__.py" not in contents


def test_the_command_is_declared(contents: list[str]) -> None:
    """The wheel declares the `headcount` command."""
    assert any(name.endswith(".dist-info/entry_points.txt") for name in contents)
