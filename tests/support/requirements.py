"""
Requirements: what Headcount is asked to do, by number, and which tests show it.

The numbers and texts are in tests/scripts/requirements.txt. A test shows a requirement if its
docstring starts with the number (`36, 45: ...`), a script if an example's title does.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from support.scripts import read_script

TESTS = Path(__file__).resolve().parent.parent
SCRIPTS = TESTS / "scripts"

_NUMBERS = re.compile(
    r"(?:Requirements? )?(\d{1,3}(?: to \d{1,3})?(?:, \d{1,3}(?: to \d{1,3})?)*): "
)


def requirements() -> dict[str, dict[int, str]]:
    """Return the texts of the requirements by number, in groups by title."""
    found: dict[str, dict[int, str]] = {}
    title = ""
    for line in (SCRIPTS / "requirements.txt").read_text(encoding="utf-8").split("\n"):
        number, _, text = line.partition(" ")
        if number.isdigit():
            found[title][int(number)] = text
        elif line and not line.startswith("--"):
            title = line
            found[title] = {}
    for example in reversed(read_script(SCRIPTS / "checklist.test")):
        group = "Templates" if example.number > 136 else "Named segments"
        found[group][example.number] = example.title.partition(" ")[2].partition(":")[0]
    return {title: dict(sorted(texts.items())) for title, texts in found.items()}


def shown_by() -> dict[int, list[str]]:
    """Return for each number what shows it: tests as `path::name`, scripts as their file."""
    found: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for path in sorted(SCRIPTS.glob("*.test")):
        for example in read_script(path):
            found[example.number][str(path.relative_to(TESTS))] = None
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, numbers in _numbered(ast.parse(path.read_text(encoding="utf-8"))):
            for number in numbers:
                found[number][f"{path.relative_to(TESTS)}::{name}"] = None
    return {number: list(tests) for number, tests in found.items()}


def _numbered(module: ast.Module) -> Iterator[tuple[str, set[int]]]:
    """Yield each test of a module whose docstring starts with numbers."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            said = _NUMBERS.match((ast.get_docstring(node) or "").lstrip())
            if said is not None:
                yield node.name, set(_spread(said[1]))


def _spread(numbers: str) -> Iterator[int]:
    """Yield the numbers of `1, 3 to 5`."""
    for part in numbers.split(", "):
        first, _, last = part.partition(" to ")
        yield from range(int(first), int(last or first) + 1)


def page() -> str:
    """Return the page that lists all requirements with what shows them."""
    tests = shown_by()
    lines = [
        "# What is asked, and the tests that show it",
        "",
        "Made from the tests by `HEADCOUNT_REWRITE=1 python -m pytest tests/test_checklist.py`. The"
        " numbers are those that tests name;",
        "a script of many examples is named once. Paths are those below [tests](../tests).",
    ]
    for title, texts in requirements().items():
        lines += ["", f"## {title}", "", "| | | shown by |", "|---|---|---|"]
        for number, text in texts.items():
            shown = [
                f"[`{one}`](../tests/{one.partition('::')[0]})" for one in tests.get(number, ())
            ]
            escaped = text.replace("|", "\\|")
            lines.append(f"| {number} | {escaped} | {'<br>'.join(shown) or 'not yet'} |")
    return "\n".join(lines) + "\n"
