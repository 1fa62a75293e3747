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


README = (ROOT / "README.md").read_text()


def fenced(language: str) -> list[str]:
    """Return the fenced blocks of the README in a language; "" for those that name none."""
    pieces = README.split("```")  # text, block, text, block, ...
    blocks = [piece.partition("\n") for piece in pieces[1::2]]
    return [text for named, _, text in blocks if named.strip() == language]


def test_the_readmes_walk_through_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its schema loads its files, its commands run as shown, and its Python counts the same."""
    import shlex

    from headcount.cli.main import run

    monkeypatch.chdir(tmp_path)
    Path("schema.toml").write_text(fenced("toml")[0])
    Path("customers.csv").write_text(
        "customer_id,country,plan,email,total_spent,signed_up\n"
        "c1,DE,Pro,a@example.org,900,2024-02-29\nc2,US,Pro,b@example.org,,2025-01-01\n"
    )
    Path("events.csv").write_text(
        "contact,type,time,amount,category\n"
        "c1,opened,2026-03-01T10:00:00Z,,\nc2,bought,2026-03-01T10:00:00Z,20,Books\n"
    )
    Path("changes.ndjson").write_text(fenced("json")[0])
    commands = [
        line.removeprefix("$ headcount ")
        for block in fenced("console")
        for line in block.splitlines()
        if line.startswith("$ headcount ")
    ]
    assert [c.partition(" ")[0] for c in commands[:4]] == ["load", "count", "members", "serve"]
    for command in commands:
        if command.startswith(("serve", "watch")):  # until they are stopped
            continue
        assert run(shlex.split(command)) == 0, capsys.readouterr().err
    embedded = next(block for block in fenced("python") if "embedded" in block)
    names: dict[str, object] = {}
    exec(embedded.replace("ws.count", "found = ws.count"), names)
    assert names["found"] == 1


def test_the_readmes_client_works() -> None:
    """The client's example runs against a server, up to the address."""
    from headcount.query.engine import Engine
    from support.serving import served
    from support.small_workspace import view

    (example,) = [block for block in fenced("python") if "headcount.client" in block]
    with served(Engine(view())) as server:
        code = example.replace("127.0.0.1:7070", server.address)
        code = code.replace('country = "DE" and opened >= 2 emails in last 30 days', "everyone")
        exec(code.replace("plan = Pro", "everyone"), {})


def test_the_readmes_segments_are_the_language() -> None:
    """Its long example parses, and its error is what the engine says."""
    from zoneinfo import ZoneInfo

    from headcount.index.view import Version, View
    from headcount.model import schema_toml
    from headcount.query.context import QueryContext
    from headcount.query.engine import Engine
    from headcount.query.parse import parse

    (example,) = [block for block in fenced("") if block.startswith("(country in")]
    parse(example)
    (shown,) = [block for block in fenced("") if block.startswith("unknown field")]
    schema = schema_toml.parse(fenced("toml")[0])
    engine = Engine(View(schema, (), Version(1, 1)))
    (error,) = engine.validate("contry = DE", QueryContext(0, ZoneInfo("UTC"))).errors
    assert str(error) == shown.rstrip("\n")
