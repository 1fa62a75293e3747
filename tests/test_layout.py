"""The rules of the source tree: what may import what, what may ask the outside, how large."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE_ROOTS = ("proto", "indexer", "server")

NETWORK = {"grpc", "grpc_health", "grpc_reflection", "grpc_status", "asyncio", "socket", "http",
           "urllib", "ssl", "socketserver", "selectors"}  # fmt: skip
# Calls that read the clock, the dice or the environment, and what to use instead.
AMBIENT = {
    "time.time": "take the instant as a parameter",
    "time.time_ns": "take the instant as a parameter",
    "time.sleep": "nothing below the edge may wait",
    "datetime.now": "take the instant as a parameter",
    "datetime.utcnow": "take the instant as a parameter",
    "datetime.today": "take the day as a parameter",
    "date.today": "take the day as a parameter",
    "random.random": "take a random.Random as a parameter",
    "uuid.uuid4": "take the id as a parameter",
    "os.environ": "read it in rpc.config or the command line and pass it on",
    "os.getenv": "read it in rpc.config or the command line and pass it on",
}


def modules(*folders: str) -> list[Path]:
    """Return the hand-written modules below *folders*, as paths from the root."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if "_pb2" not in path.name]


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted name of everything a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ambient_uses(tree: ast.AST) -> Iterator[str]:
    """Yield the entries of `AMBIENT` that a module refers to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            spelled = ast.unparse(node)
            yield from (name for name in AMBIENT if spelled.endswith(name))


ENGINE = modules("indexer", "server/headcount/query", "server/headcount/segments")


@pytest.mark.parametrize("path", ENGINE, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_is_embeddable(path: Path) -> None:
    """Nothing in the engine imports a network library, and nothing in it imports the server."""
    for name in imports(ast.parse(path.read_text())):
        assert name.partition(".")[0] not in NETWORK, f"{path} imports {name}"
        for above in ("rpc", "client", "cli"):
            assert not name.startswith(f"headcount.{above}"), f"{path} imports {name}"


@pytest.mark.parametrize("path", ENGINE, ids=lambda p: str(p.relative_to(ROOT)))
def test_time_chance_and_environment_are_passed_in(path: Path) -> None:
    """Nothing below the edge reads the clock, random numbers or the environment."""
    for name in ambient_uses(ast.parse(path.read_text())):
        pytest.fail(f"{path.relative_to(ROOT)} uses {name}: {AMBIENT[name]}")


def test_the_ambient_check_can_fail() -> None:
    """A module that reads the clock is found."""
    planted = ast.parse("import datetime as dt\nprint(dt.datetime.now(dt.UTC))")
    assert list(ambient_uses(planted)) == ["datetime.now"]


def test_indexer_does_not_import_query() -> None:
    """The index and storage know nothing of the language."""
    for path in modules("indexer"):
        for name in imports(ast.parse(path.read_text())):
            assert not name.startswith(("headcount.query", "headcount.segments", "headcount.v1"))


def test_storage_knows_bytes_only() -> None:
    """Storage writes mutations and named bytes; it does no bitmap algebra."""
    for path in modules("indexer/headcount/storage"):
        for name in imports(ast.parse(path.read_text())):
            assert not name.startswith("pyroaring"), f"{path} imports {name}"


def test_no_root_hides_the_others() -> None:
    """`headcount` is a namespace package over three roots: none may hold its `__init__.py`."""
    for root in SOURCE_ROOTS:
        assert not (ROOT / root / "headcount" / "__init__.py").exists()


def test_modules_are_small() -> None:
    """A module is the noun it holds: half are under 200 lines, none over 600."""
    sizes = {p: len(p.read_text().splitlines()) for p in modules("indexer", "server")}
    over = {str(p.relative_to(ROOT)): n for p, n in sizes.items() if n > 600}
    assert not over
    assert statistics.median(sizes.values()) <= 200


def test_every_module_says_what_it_is() -> None:
    """Every hand-written module opens with a docstring."""
    silent = [
        p for p in modules("indexer", "server") if not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert not silent


def test_nothing_prints() -> None:
    """Only the command line writes to the terminal, and it does so through one module."""
    for path in modules("indexer", "server"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (called and node.func.id == "print"), f"{path}:{node.lineno} prints"
