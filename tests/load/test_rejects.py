"""The rejects file and the counts by reason."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from headcount.load.rejects import HEADER, Reject, Rejects
from headcount.model.errors import Reason, UserError

SOURCE = Path("folder/contacts.csv")


def lines(path: Path) -> list[list[str]]:
    """Return the rows of the rejects file, without its header."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == HEADER
    return rows


def test_refusals_are_written_by_line_and_counted_by_reason(tmp_path: Path) -> None:
    """Cells of one row are lines of their own; the row counts once, each reason as often as met."""
    path = tmp_path / "rejects.csv"
    with Rejects(path) as rejects:
        found = [
            Reject(9, "spent", "1,5", "a decimal point"),
            Reject(3, "spent", 'a "b",\nc', "a decimal point"),
            Reject(9, "born", "x", "a date"),
            Reject(4, "", "1,2,3", "3 cells"),
        ]
        assert rejects.add(SOURCE, found) == 3
        assert rejects.add(SOURCE, []) == 0
        assert rejects.add(Path("e.csv"), [Reject(1, "id", "a", "there already", "line 7")]) == 1
        assert rejects.rows == 4
        assert rejects.reasons == {
            "spent: a decimal point": 2,
            "born: a date": 1,
            "3 cells": 1,
            "id: there already": 1,
        }
    assert lines(path) == [
        ["contacts.csv", "3", "spent", 'a "b",\nc', "a decimal point"],
        ["contacts.csv", "4", "", "1,2,3", "3 cells"],
        ["contacts.csv", "9", "spent", "1,5", "a decimal point"],
        ["contacts.csv", "9", "born", "x", "a date"],
        ["e.csv", "1", "id", "a", "there already (line 7)"],
    ]


def test_no_refusal_leaves_no_file(tmp_path: Path) -> None:
    """The file of an earlier load does not stay to mislead."""
    path = tmp_path / "rejects.csv"
    with Rejects(path) as rejects:
        rejects.add(SOURCE, [Reject(1, "a", "b", "c")])
    assert path.exists()
    with Rejects(path):
        pass
    assert not path.exists()


def test_other_files_are_never_written_over(tmp_path: Path) -> None:
    """A file that is no rejects file, an input and a folder are refused."""
    path = tmp_path / "contacts.csv"
    path.write_text("id\n1\n")
    with pytest.raises(UserError, match="not a rejects file"):
        Rejects(path)
    path.write_text(",".join(HEADER) + "\n")
    with pytest.raises(UserError, match="not a rejects file"):
        Rejects(path, inputs=[tmp_path / "none.csv", path])
    with pytest.raises(UserError, match="is a folder"):
        Rejects(tmp_path)
    assert path.read_text() == ",".join(HEADER) + "\n"


def test_strict_stops_at_the_first(tmp_path: Path) -> None:
    """The lowest line of the batch is the error, with its place, and no file is made."""
    path = tmp_path / "rejects.csv"
    with Rejects(path, strict=True) as rejects, pytest.raises(UserError) as caught:
        rejects.add(SOURCE, [Reject(1200, "b", "y", "r"), Reject(7, "spent", "1,5", "a point")])
    assert caught.value.reason is Reason.INVALID_VALUE
    assert caught.value.field == "contacts.csv:7:spent"
    assert caught.value.message == (
        "contacts.csv, line 7, column `spent`: a point, found `1,5`; nothing was loaded"
    )
    assert not path.exists()


def test_the_number_of_reasons_is_bounded(tmp_path: Path) -> None:
    """A file whose every row has a reason of its own does not fill the summary."""
    with Rejects(tmp_path / "rejects.csv") as rejects:
        rejects.add(SOURCE, [Reject(at, "", "", f"reason {at}") for at in range(1000)])
        assert len(rejects.reasons) == 201
        assert sum(rejects.reasons.values()) == 1000


def test_any_text_can_be_written(tmp_path: Path) -> None:
    """Half a surrogate pair, which no encoding has, is escaped."""
    path = tmp_path / "rejects.csv"
    with Rejects(path) as rejects:
        rejects.add(SOURCE, [Reject(1, "a", "x\ud800", "r")])
    assert lines(path)[0][3] == "x\\ud800"
