"""`headcount resolve` and `export`: on a folder and on a server."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from headcount.cli.main import run
from headcount.index.workspace import save_view
from headcount.query.engine import Engine
from support.engines import view_of
from support.serving import served
from support.small import AS_OF, SMALL

SENDABLE = ("ada", "ben", "cho", "dee", "eli", "ida", "jon", "kim", "lou")
AT = ["--as-of", f"{AS_OF}Z"]
AUDIENCE = ["--include", "everyone", "--exclude", "converted in last 7 days", "--list", "News"]

Headcount = Callable[..., int]


@pytest.fixture(params=["--data", "--server"])
def headcount(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Headcount]:
    """The command, over the small workspace."""
    view = view_of(SMALL, 4)
    if request.param == "--data":
        save_view(tmp_path / "data", "default", view)
        yield lambda *arguments: run([*arguments, "--data", str(tmp_path / "data")])
        return
    with served(Engine(view), audiences__folder=str(tmp_path)) as running:
        yield lambda *arguments: run([*arguments, "--server", running.address])


def test_resolve_prints_the_funnel(
    headcount: Headcount, capsys: pytest.CaptureFixture[str]
) -> None:
    """Step by step, for people and for programs."""
    assert headcount("resolve", *AUDIENCE, *AT) == 0
    lines = [line.rsplit(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["excluded", "-1", "11"]
    assert lines[3] == ["opted out of the list", "-1", "9"]
    assert lines[6] == ["sendable", "9"]
    assert headcount("resolve", *AUDIENCE, *AT, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["matched"], found["sendable"], found["lists"]) == (12, 9, ["News"])
    assert headcount("resolve", *AUDIENCE, *AT, "--format", "csv") == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert rows[0] == ["step", "removed", "left"]
    assert rows[-1] == ["hard bounce", "0", "9"]


def test_resolve_writes_who_may_be_sent_to(
    headcount: Headcount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file, and beside it what it is of; the funnel is printed too."""
    path = tmp_path / "out.csv"
    assert headcount("resolve", *AUDIENCE, *AT, "--to", str(path), "--fields", "city,email") == 0
    shown = capsys.readouterr()
    assert shown.err == f"9 contacts written to {path}\n"
    assert shown.out.splitlines()[6].split() == ["sendable", "9"]
    with path.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["contact"] for row in rows] == [
        "ada",
        "ben",
        "cho",
        "dee",
        "eli",
        "ida",
        "jon",
        "kim",
        "lou",
    ]
    assert rows[0] == {"contact": "ada", "city": "Jakarta", "email": "ada@company.com"}
    about = json.loads((tmp_path / "out.csv.json").read_text())
    assert about["include"] == ["everyone"]
    assert about["contacts"] == 9


def test_resolve_freezes_where_the_data_are(
    headcount: Headcount,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the server's folder, or here; never over an older one."""
    (tmp_path / "default").mkdir()
    monkeypatch.chdir(tmp_path / "default")
    assert headcount("resolve", *AUDIENCE, *AT, "--freeze", "may.csv", "--fields", "city") == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("9 contacts written to ")
    assert shown.out.splitlines()[6].split() == ["sendable", "9"]
    assert (
        (tmp_path / "default/may.csv").read_text().startswith('"contact","city"\n"ada","Jakarta"')
    )
    assert json.loads((tmp_path / "default/may.csv.json").read_text())["sendable"] == 9
    assert headcount("resolve", *AUDIENCE, *AT, "--freeze", "may.csv") == 1
    assert "already" in capsys.readouterr().err


def test_resolve_refuses_what_it_would_not_do(
    headcount: Headcount, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two places at once, or fields for nobody."""
    assert headcount("resolve", *AUDIENCE, "--freeze", "a.csv", "--to", "b.csv") == 2
    assert headcount("resolve", *AUDIENCE, "--fields", "city") == 2
    capsys.readouterr()


def test_resolve_says_what_looks_wrong(
    headcount: Headcount, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error."""
    assert headcount("resolve", "--include", "everyone", *AT) == 0
    assert "no list is named" in capsys.readouterr().err
    assert headcount("resolve", "--include", "plam = Pro", *AT) == 1
    assert "did you mean `plan`" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_export_writes_a_segment(
    headcount: Headcount, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Chosen fields or all of them; how many goes to standard error, nothing to standard output."""
    path = tmp_path / name
    assert headcount("export", "plan = Pro", "--to", str(path), "--fields", "skills", *AT) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"3 contacts written to {path} (as of 2026-05-09T12:00:00+00:00")
    if name.endswith("csv"):
        assert path.read_text() == '"contact","skills"\n"ada","Python;SQL"\n"ben",\n"gus",\n'
    else:
        assert parquet.read_table(path).column_names == ["contact", "skills"]
    assert headcount("export", "plan = Pro", "--to", str(path), "--all-fields", *AT) == 0


def test_export_refuses_other_files(
    headcount: Headcount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the end of the name."""
    assert headcount("export", "everyone", "--to", str(tmp_path / "a.xlsx")) == 1
    assert ".csv or .parquet" in capsys.readouterr().err
    assert headcount("resolve", "--include", "everyone", "--to", str(tmp_path / "a.xlsx")) == 1
