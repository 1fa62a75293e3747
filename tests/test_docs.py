"""Docs cannot rot: links lead somewhere, named code exists, shown commands are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.parts[1:])
)
LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of every page names a file or folder that exists."""
    for _, target in LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_code_named_in_the_architecture_exists() -> None:
    """Where ARCHITECTURE.md links a function or class, the linked module defines it."""
    named = 0
    for label, target in LINK.findall((ROOT / "ARCHITECTURE.md").read_text()):
        name = label.strip("`")
        module = ROOT / target
        if module.suffix == ".py" and name.isidentifier() and name != module.stem:
            named += 1
            defined = re.search(rf"^(?:def|class) {name}\b", module.read_text(), re.MULTILINE)
            assert defined, f"{target} defines no {name}"
    assert named >= 10


def test_every_dependency_has_its_reason() -> None:
    """Each dependency of pyproject.toml is named in ARCHITECTURE.md's table, and no other is."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=]", d)[0].strip() for d in project["dependencies"]}
    table = (ROOT / "ARCHITECTURE.md").read_text().partition("## Dependencies")[2]
    named = {
        n.strip() for row in re.findall(r"^\| ([a-z][^|]*) \|", table, re.M) for n in row.split(",")
    }
    assert named - {"library"} == declared


def test_every_service_and_call_is_documented() -> None:
    """Each RPC of the protos is named in the README or the API page."""
    text = (ROOT / "README.md").read_text() + (ROOT / "docs" / "api.md").read_text()
    for proto in (ROOT / "proto/headcount/v1").glob("*.proto"):
        for name in re.findall(r"^\s*rpc (\w+)\(", proto.read_text(), re.MULTILINE):
            assert f"`{name}`" in text, f"{name} of {proto.name} is in no page"
