"""Every requirement of the language and its answers has a test that names its number."""

from __future__ import annotations

import os
from pathlib import Path

from support.requirements import page, requirements, shown_by

PAGE = Path(__file__).resolve().parent.parent / "docs" / "checklist.md"

# The language, its answers and what a builder of segments needs.
LANGUAGE = {*range(36, 141), *range(176, 185)}


def test_the_page_is_made_from_the_tests() -> None:
    """docs/checklist.md says what the tests say; HEADCOUNT_REWRITE=1 writes it."""
    if os.environ.get("HEADCOUNT_REWRITE"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_language_is_shown_whole() -> None:
    """None of its requirements is without a test."""
    assert set() == LANGUAGE - set(shown_by())


def test_tests_name_numbers_that_exist() -> None:
    """Every number from 1 to 187 is a requirement, and no other is named."""
    known = {number for texts in requirements().values() for number in texts}
    assert known == set(range(1, 188))
    assert set(shown_by()) <= known
