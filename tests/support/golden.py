"""
Scripts of questions and answers that are reviewed as text.

A script holds blocks with an empty line between: `> ` and the question, a line each, then the
answer. After a change, run the test with HEADCOUNT_REWRITE=1 in the environment: it writes what is
said now. Read the diff.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def blocks(path: Path) -> list[tuple[str, str]]:
    """Return each question of a script with its answer."""
    found = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        question = "\n".join(line[2:] for line in lines if line.startswith(">"))
        found.append((question, "\n".join(line for line in lines if not line.startswith(">"))))
    return found


def assert_as_reviewed(path: Path, answer: Callable[[str], str]) -> None:
    """Assert that every question of a script has the answer that was reviewed."""
    reviewed = blocks(path)
    said = [(question, answer(question)) for question, _ in reviewed]
    if os.environ.get("HEADCOUNT_REWRITE"):
        texts = (
            "\n".join(f"> {line}" for line in question.split("\n")) + "\n" + found
            for question, found in said
        )
        path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    assert said == reviewed
