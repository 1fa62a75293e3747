"""
The messages for text that is refused, as a script that is reviewed.

`golden/parse_errors.txt` holds blocks: `> ` and the text, a line each, then the reason and the
whole error as a person sees it. After a change, run this file with HEADCOUNT_REWRITE=1 in the
environment: it writes what is said now. Read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headcount.model.errors import UserError
from headcount.query.parse import parse

SCRIPT = Path(__file__).parent / "golden" / "parse_errors.txt"


def blocks(script: str) -> list[tuple[str, str]]:
    """Return each text of the script with what is said of it."""
    found = []
    for block in script.strip().split("\n\n"):
        lines = block.split("\n")
        text = "\n".join(line[2:] for line in lines if line.startswith(">"))
        said = "\n".join(line for line in lines if not line.startswith(">"))
        found.append((text, said))
    return found


def answer(text: str) -> str:
    """Return what is said of a text."""
    try:
        parse(text)
    except UserError as error:
        lines = f"{error.reason}: {error}".split("\n")
        return "\n".join(line.rstrip() for line in lines if line.strip())
    return "accepted"


def test_errors_read_as_reviewed() -> None:
    """Every refused text has the message that was reviewed."""
    pairs = blocks(SCRIPT.read_text(encoding="utf-8"))
    answers = [(text, answer(text)) for text, _ in pairs]
    if os.environ.get("HEADCOUNT_REWRITE"):
        SCRIPT.write_text(
            "\n\n".join(
                "\n".join(f"> {line}".rstrip() for line in text.split("\n")) + "\n" + said
                for text, said in answers
            )
            + "\n",
            encoding="utf-8",
        )
    assert answers == pairs


@pytest.mark.parametrize("text", [text for text, _ in blocks(SCRIPT.read_text(encoding="utf-8"))])
def test_a_refusal_has_a_place(text: str) -> None:
    """Every error points into the text, at a place that is there."""
    with pytest.raises(UserError) as refused:
        parse(text)
    place = refused.value.position
    assert place is not None
    lines = text.split("\n")
    assert place.source == lines[place.line - 1]
    assert 1 <= place.column <= len(place.source) + 1
    assert 1 <= place.length <= max(1, len(place.source) - place.column + 1)
