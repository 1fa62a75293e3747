"""The command line: the same words on a folder and on a server, and its exit statuses."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.cli.main import command_line, run

SCHEMA = """\
id = "customer_id"
time_zone = "Europe/Berlin"
lists = ["news"]

[fields]
country = "keyword"
plan = "keyword"
email = "text"
total_spent = "number"
signed_up = "date"
interests = "keywords"

[events.email_open]
alias = ["opened"]
[events.purchase]
alias = ["bought"]
properties = { amount = "number", category = "keyword" }
"""
CONTACTS = """\
customer_id,country,plan,email,total_spent,signed_up,interests,status
ana,DE,Pro,ana@example.org,900.5,2024-02-29,Music;Travel,Active
ben,US,Free,ben@company.com,,2025-01-01,,Active
cem,DE,,cem@example.org,12,2026-03-01,Music,Unsubscribed
"""
EVENTS = """\
contact,type,time,amount,category
ana,opened,2026-03-01T10:00:00Z,,
ana,opened,2026-03-09T10:00:00+01:00,,
ana,purchase,2026-02-01T10:00:00Z,20.5,Books
ben,opened,2026-03-09 23:30:00,,
nobody,opened,2026-03-09T10:00:00Z,,
"""
AS_OF = ["--as-of", "2026-03-10T12:00:00Z"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small shop's schema and files."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "schema.toml").write_text(SCHEMA)
    (folder / "customers.csv").write_text(CONTACTS)
    (folder / "events.csv").write_text(EVENTS)
    return folder


def load_arguments(files: Path, data: Path) -> list[str]:
    """Return the arguments that load the small shop into *data*."""
    return [
        "load", "--data", str(data), "--schema", str(files / "schema.toml"),
        "--contacts", str(files / "customers.csv"), "--events", str(files / "events.csv"),
        "--rejects", str(data.parent / "rejects.csv"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def data(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the small shop in it."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    assert run(load_arguments(files, folder)) == 0
    return folder


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[str]:
    """The address of `headcount serve` over the small shop, in a process of its own."""
    command = [sys.executable, "-m", "headcount.cli.main", "serve", "--data", str(data)]
    with subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"127\.0\.0\.1:\d+", line)
        assert found, line
        yield found[0]
        process.send_signal(signal.SIGTERM)
        process.communicate()
        assert process.returncode == 0


@pytest.fixture(params=["--data", "--server"])
def target(request: pytest.FixtureRequest, data: Path) -> list[str]:
    """Each of the two ways to ask."""
    if request.param == "--data":
        return ["--data", str(data)]
    return ["--server", request.getfixturevalue("server")]


def printed(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int = 0) -> str:
    """Return what a command prints to standard output, given its exit *status*."""
    capsys.readouterr()
    assert run(arguments) == status
    return capsys.readouterr().out


def test_load_says_what_is_in_and_what_is_not(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The summary counts rows loaded and refused, and names the file of those refused."""
    out = printed(capsys, load_arguments(files, tmp_path / "shop"))
    assert "contacts  3 new, 0 updated, 0 created, 0 refused" in out
    assert "events    4 loaded, 0 repeated (counted once), 1 refused" in out
    rejects = list(csv.DictReader(io.StringIO((tmp_path / "rejects.csv").read_text())))
    assert [(r["file"], r["line"], r["value"]) for r in rejects] == [("events.csv", "6", "nobody")]
    again = printed(capsys, load_arguments(files, tmp_path / "shop"))
    assert "contacts  0 new, 3 updated, 0 created, 0 refused" in again


def test_count(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`count` prints the number, as text, JSON with its instant, or CSV."""
    ask = ["count", "country = DE and opened >= 2 emails in last 30 days", *target, *AS_OF]
    assert printed(capsys, ask) == "1\n"
    document = json.loads(printed(capsys, [*ask, "--format", "json"]))
    assert document["count"] == 1
    assert document["as_of"] == "2026-03-10T12:00:00+00:00"
    assert document["time_zone"] == "Europe/Berlin"
    assert printed(capsys, [*ask, "--format", "csv"]) == "count\n1\n"


def test_the_time_zone_decides_the_day(
    target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A clock time without an offset was read in the workspace's zone; the query's zone wins."""
    ask = ["count", "did opened on 2026-03-09", *target, *AS_OF]
    assert printed(capsys, ask) == "2\n"
    assert printed(capsys, [*ask, "--time-zone", "Asia/Tokyo"]) == "1\n"


def test_members(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`members` prints ids and chosen fields, one contact a line."""
    ask = ["members", 'interests contains "music" or plan = Free', *target, *AS_OF]
    assert printed(capsys, ask) == "ana\nben\ncem\n"
    assert printed(capsys, [*ask, "--limit", "2"]) == "ana\nben\n"
    fields = [*ask, "--fields", "interests,total_spent,signed_up"]
    assert printed(capsys, fields).splitlines()[0] == "ana\tMusic;Travel\t900.5\t2024-02-29"
    table = csv.reader(io.StringIO(printed(capsys, [*fields, "--format", "csv"])))
    assert list(table)[:3] == [
        ["id", "interests", "total_spent", "signed_up"],
        ["ana", "Music;Travel", "900.5", "2024-02-29"],
        ["ben", "", "", "2025-01-01"],
    ]
    rows = printed(capsys, [*fields, "--format", "json"]).splitlines()
    assert json.loads(rows[1]) == {"id": "ben", "signed_up": "2025-01-01"}


def test_no_members_is_no_lines(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A segment without members prints nothing, or the CSV header alone."""
    ask = ["members", "total_spent > 1e6", *target]
    assert printed(capsys, ask) == ""
    assert printed(capsys, [*ask, "--fields", "plan", "--format", "csv"]) == "id,plan\n"


def test_validate(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`validate` prints the canonical text, or what is wrong and exit status 1."""
    assert printed(capsys, ["validate", "plan=Pro  AND opened", *target]).strip() == (
        "plan = Pro and did opened"
    )
    document = json.loads(
        printed(capsys, ["validate", "contry = DE", *target, "--format", "json"], status=1)
    )
    assert document["valid"] is False
    assert document["errors"][0]["code"] == "UNKNOWN_NAME"
    assert document["errors"][0]["column"] == 1
    assert document["errors"][0]["suggestions"] == ["country"]


def test_a_segment_may_be_json(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An argument that starts with a brace is the JSON form, nested or flat."""
    nested = '{"all": [{"field": "country", "operator": "=", "value": "DE"}]}'
    assert printed(capsys, ["count", nested, *target]) == "2\n"
    flat = (
        '{"name": "x", "logic": "AND", "conditions":'
        ' [{"field": "total_spent", "operator": "greater_than", "value": 500}]}'
    )
    assert printed(capsys, ["members", flat, *target]) == "ana\n"
    assert printed(capsys, ["format", flat]) == "total_spent > 500\n"
    assert run(["count", '{"all": 3}', *target]) == 1
    assert capsys.readouterr().err.startswith("headcount: ")


def test_saved_segments(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`segment` saves, lists, shows, replaces and deletes."""
    folder = tmp_path / "shop"
    assert run(load_arguments(files, folder)) == 0
    target = ["--data", str(folder)]
    out = printed(capsys, ["segment", "save", "big spenders", "total_spent>500", *target])
    assert out.startswith("big spenders: total_spent > 500\n")
    uses = ["segment", "save", "germans", 'country = DE and in segment "big spenders"', *target]
    assert run([*uses, "--tag", "dach", "--description", "in Germany"]) == 0
    assert printed(capsys, ["count", 'in segment "Germans"', *target]) == "1\n"
    listed = printed(capsys, ["segment", "list", *target])
    assert [line.split("\t")[0] for line in listed.splitlines()] == ["big spenders", "germans"]
    tagged = printed(capsys, ["segment", "list", "--tag", "dach", *target, "--format", "json"])
    assert json.loads(tagged)["description"] == "in Germany"
    shown = json.loads(
        printed(capsys, ["segment", "show", "BIG spenders", *target, "--format", "json"])
    )
    assert shown["dependants"] == ["germans"]
    again = ["segment", "save", "big spenders", "total_spent > 700", *target]
    assert run(again) == 1
    assert "already" in capsys.readouterr().err
    assert run([*again, "--replace"]) == 0
    assert run([*again, "--etag", shown["etag"]]) == 1
    assert "was changed since" in capsys.readouterr().err
    assert run(["segment", "delete", "big spenders", *target]) == 1
    assert "used by `germans`" in capsys.readouterr().err
    assert run(["segment", "delete", "germans", *target]) == 0
    assert run(["segment", "delete", "big spenders", *target]) == 0
    table = printed(capsys, ["segment", "list", *target, "--format", "csv"])
    assert table == "name,text,description,tags,etag,updated_at\n"


def test_names_do_not_steer_the_terminal(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Control characters in a name are escapes in text, and themselves in JSON and CSV."""
    folder = tmp_path / "shop"
    assert run(load_arguments(files, folder)) == 0
    target = ["--data", str(folder)]
    name = "a\x1b[31m\tred\n\u202etxet"
    assert run(["segment", "save", name, "country = DE", *target]) == 0
    shown = "a\\x1b[31m\\tred\\n\\u202etxet"
    assert "\x1b" not in capsys.readouterr().out
    assert printed(capsys, ["segment", "list", *target]) == f"{shown}\tcountry = DE\n"
    assert printed(capsys, ["overlap", *target]).startswith(f"{shown}\t2\n")
    listed = printed(capsys, ["segment", "list", *target, "--format", "json"])
    assert json.loads(listed)["name"] == name
    assert run(["segment", "delete", "\x1b[2J", *target]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_what_looks_wrong_is_said_with_its_place(
    target: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """154, 180: on standard error for people, in JSON with a code, line and column for programs."""
    mixed = "country = DE or plan = Free and total_spent > 3"
    assert run(["preview", mixed, *target, *AS_OF]) == 0
    said = capsys.readouterr().err
    assert said.startswith("warning: `and` binds tighter than `or`")
    assert "(line 1, column 17)" in said
    found = json.loads(printed(capsys, ["preview", mixed, *target, "--format", "json"]))
    first = found["warnings"][0]
    assert (first["code"], first["line"], first["column"]) == ("MIXED_AND_OR", 1, 17)
    for words in (["validate"], ["preview"]):
        command = [*words, "country = DE", "--for-send", *target, "--format", "json"]
        codes = [one["code"] for one in json.loads(printed(capsys, command))["warnings"]]
        assert "NO_STATUS" in codes
    explained = json.loads(printed(capsys, ["explain", mixed, *target, "--format", "json"]))
    assert explained["warnings"][0]["code"] == "MIXED_AND_OR"


def test_a_served_folder_is_saved_into_through_its_server(
    data: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server holds the folder's lock; who has the folder alone is told so."""
    save = ["segment", "save", "kept", "plan = Pro"]
    assert run([*save, "--data", str(data)]) == 1
    assert "is in use by process" in capsys.readouterr().err
    assert run([*save, "--server", server]) == 0
    for target in (["--data", str(data)], ["--server", server]):
        assert printed(capsys, ["count", 'in segment "kept"', *target]) == "1\n"
    assert run(["segment", "delete", "kept", "--server", server]) == 0


WHY = "country = DE and total_spent > 500"


def test_preview(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`preview` prints the count, that of each condition, and some contacts."""
    ask = ["preview", WHY, *target, *AS_OF, "--fields", "plan"]
    assert printed(capsys, ask).splitlines() == [
        "1 of 3 contacts",
        "             2  country = DE",
        "             1  total_spent > 500",
        "ana\tPro",
    ]
    document = json.loads(printed(capsys, [*ask, "--format", "json"]))
    assert document["sample"] == [{"id": "ana", "plan": "Pro"}]
    assert [one["count"] for one in document["conditions"]] == [2, 1]
    table = list(csv.reader(io.StringIO(printed(capsys, [*ask, "--format", "csv"]))))
    assert table[1:] == [["1", WHY], ["2", "country = DE"], ["1", "total_spent > 500"]]


def test_explain(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`explain` prints each part with its count and the count without it."""
    ask = ["explain", "plan != Free and opened in last 30 days", *target, *AS_OF]
    out = printed(capsys, ask)
    assert "1 of 3 contacts" in out
    assert "1 of them because a value is missing" in out
    document = json.loads(printed(capsys, [*ask, "--format", "json"]))
    assert document["count"] == 1
    parts = document["root"]["parts"]
    assert [part["count"] for part in parts] == [2, 2]
    assert [part["without"] for part in parts] == [2, 2]
    assert parts[1]["stretches"]
    table = list(csv.DictReader(io.StringIO(printed(capsys, [*ask, "--format", "csv"]))))
    assert [row["count"] for row in table] == ["1", "2", "2"]


def test_explain_profile(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`explain --profile` prints stages and operators; with `--blocks` each block."""
    segment = "plan != Free and opened in last 30 days"
    ask = ["explain", "--profile", segment, *target, *AS_OF]
    out = printed(capsys, [*ask, "--blocks"])
    assert "1 of 3 contacts" in out
    for word in ("parse", "bind", "plan", "evaluate", "not plan in {'free'}", "block"):
        assert word in out
    document = json.loads(printed(capsys, [*ask, "--format", "json"]))
    assert document["count"] == 1
    assert set(document["microseconds"]) == {"parse", "bind", "plan", "evaluate"}
    assert [part["negated"] for part in document["root"]["parts"]] == [False, True]
    table = list(csv.DictReader(io.StringIO(printed(capsys, [*ask, "--format", "csv"]))))
    assert [row["depth"] for row in table] == ["0", "1", "1"]
    assert run(["explain", "--blocks", segment, *target]) == 2


def test_explain_contact(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`explain-contact` prints each verdict with what the contact has."""
    ask = ["explain-contact", WHY, "cem", *target, *AS_OF]
    out = printed(capsys, ask)
    assert '"cem" is not in the segment' in out
    assert "total_spent: 12" in out
    document = json.loads(printed(capsys, [*ask, "--format", "json"]))
    assert [part["holds"] for part in document["root"]["parts"]] == [True, False]
    table = list(csv.DictReader(io.StringIO(printed(capsys, [*ask, "--format", "csv"]))))
    assert [row["holds"] for row in table] == ["false", "true", "false"]
    assert run(["explain-contact", WHY, "nobody", *target]) == 1


def test_breakdown(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`breakdown` prints values or ranges with their counts, and those without one."""
    ask = ["breakdown", "everyone", "--by", "plan", *target, *AS_OF]
    assert [line.split() for line in printed(capsys, ask).splitlines()] == [
        ["Free", "1", "33.3%"],
        ["Pro", "1", "33.3%"],
        ["(others)", "0", "0.0%"],
        ["(no", "value)", "1", "33.3%"],
    ]
    document = json.loads(printed(capsys, [*ask, "--format", "json"]))
    assert (document["missing"], document["distinct"]) == (1, 2)
    assert printed(capsys, [*ask, "--format", "csv"]) == "value,count\nFree,1\nPro,1\n"
    years = ["breakdown", "everyone", "--by", "signed_up", "--every", "year", *target, *AS_OF]
    table = list(csv.DictReader(io.StringIO(printed(capsys, [*years, "--format", "csv"]))))
    assert [(row["low"], row["count"]) for row in table] == [
        ("2024-01-01", "1"), ("2025-01-01", "1"), ("2026-01-01", "1"),
    ]  # fmt: skip
    assert "2024-01-01 to before 2025-01-01" in printed(capsys, years)
    spent = ["breakdown", "everyone", "--by", "total_spent", "--ranges", "2", *target]
    found = json.loads(printed(capsys, [*spent, "--format", "json"]))
    assert [bucket["count"] for bucket in found["buckets"]] == [1, 1]
    assert run([*spent, "--every", "day"]) == 2


def test_overlap_match_and_templates(
    data: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of saved segments: what they share, and which of them hold a contact."""
    for name, text in (("de", "country = DE"), ("pro", "plan = Pro"), ("lost", "country = FR")):
        assert run(["segment", "save", name, text, "--server", server]) == 0
    for target in (["--data", str(data)], ["--server", server]):
        assert printed(capsys, ["overlap", "de", "pro", *target]).splitlines() == [
            "de\t2", "pro\t1", "de & pro\t1\t0.5",
        ]  # fmt: skip
        document = json.loads(printed(capsys, ["overlap", *target, "--format", "json"]))
        assert document["names"] == ["de", "lost", "pro"]
        assert document["shared"] == [[2, 0, 1], [0, 0, 0], [1, 0, 1]]
        table = printed(capsys, ["overlap", "de", "pro", *target, "--format", "csv"])
        assert table == "segment,other,shared,jaccard\nde,pro,1,0.5\n"
        assert printed(capsys, ["match", "ana", "ben", "nobody", *target]).splitlines() == [
            "ana\tde, pro", "ben\t", "nobody\tunknown contact",
        ]  # fmt: skip
        one = printed(capsys, ["match", "ana", "--segment", "pro", *target, "--format", "json"])
        assert json.loads(one) == {"contact": "ana", "known": True, "segments": ["pro"]}
        assert printed(capsys, ["match", "ana", *target, "--format", "csv"]) == (
            "contact,segment\nana,de\nana,pro\n"
        )
        assert "missing: " in printed(capsys, ["segment", "templates", *target])
        lines = printed(capsys, ["segment", "templates", *target, "--format", "json"])
        usable = [json.loads(line) for line in lines.splitlines()]
        assert usable[0]["usable"]
        assert run(["count", usable[0]["text"], *target]) == 0
    for name in ("de", "pro", "lost"):
        assert run(["segment", "delete", name, "--server", server]) == 0


def test_stats(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`stats` says how many contacts and events there are, and what they take."""
    out = printed(capsys, ["stats", *target])
    assert "contacts  3 in 1 block" in out
    assert "events    4" in out
    document = json.loads(printed(capsys, ["stats", *target, "--format", "json"]))
    assert document["events"]["email_open"] == 3
    assert document["bytes"] == sum(document["bytes_by_kind"].values())
    assert printed(capsys, ["stats", *target, "--format", "csv"]).startswith("what,name,value\n")


def test_an_error_is_the_same_on_both(
    data: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder and a server give one message, with the place and the suggestion."""
    messages = []
    for target in (["--data", str(data)], ["--server", server]):
        assert run(["count", "contry = DE", *target]) == 1
        messages.append(capsys.readouterr().err)
    assert messages[0] == messages[1]
    assert "did you mean `country`?" in messages[0]
    assert "  contry = DE\n  ^^^^^^" in messages[0]


def test_a_likely_typo_is_a_warning(target: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A value that no contact has is counted, with a warning on standard error."""
    assert run(["count", "plan = Por", *target]) == 0
    shown = capsys.readouterr()
    assert shown.out == "0\n"
    assert shown.err.startswith("warning: ")


def test_format_needs_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    """`format` prints a segment in canonical form."""
    out = printed(capsys, ["format", "A=1 && B=2".replace("&&", "AND")])
    assert out == "A = 1 and B = 2\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["count", "everyone"],
        ["count", "everyone", "--data", "a", "--server", "b"],
        ["count", "everyone", "--data", "a", "--as-of", "yesterday"],
        ["count", "everyone", "--data", "a", "--as-of", "2026-03-10T12:00:00"],
        ["count", "--data", "a"],
        ["load", "--data", "a"],
        ["serve"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be understood ends with 2 and says why on standard error."""
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["count", "everyone", "--data", "/nonexistent/folder"],
        ["count", "everyone", "--server", "127.0.0.1:1"],
        ["load", "--data", "{data}", "--contacts", "/nonexistent.csv"],
        ["check", "--data", "/nonexistent/folder"],
        ["count", "", "--data", "{data}"],
    ],
)
def test_the_users_error_is_1(
    data: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A request that cannot be answered ends with 1 and one message, without a traceback."""
    assert run([a.format(data=data) for a in arguments]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("headcount: ")
    assert "Traceback" not in shown.err


def test_a_calculated_field_that_means_nothing_is_not_loaded(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The schema is refused before anything is read, and the message shows the place."""
    schema = tmp_path / "schema.toml"
    schema.write_text(SCHEMA + '[calculated]\naverage = "total_spend / count(purchase)"\n')
    arguments = load_arguments(files, tmp_path / "shop")
    arguments[arguments.index("--schema") + 1] = str(schema)
    assert run(arguments) == 1
    shown = capsys.readouterr().err
    assert "did you mean `total_spent`?" in shown
    assert "calculated.average" in shown
    schema.write_text(schema.read_text().replace("total_spend ", "total_spent "))
    assert run(arguments) == 0
    ask = ["count", "average > 900", "--data", str(tmp_path / "shop"), *AS_OF]
    assert printed(capsys, ask) == "1\n"


def test_damage_is_3(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A flipped bit ends every command with 3, and the message names the file."""
    folder = tmp_path / "shop"
    assert run(load_arguments(files, folder)) == 0
    assert run(["check", "--data", str(folder)]) == 0
    assert "default: 3 contacts, all structures agree" in capsys.readouterr().out
    (path,) = (folder / "workspaces" / "default").glob("*.db")
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 0x10
    path.write_bytes(stored)
    for command in (["count", "everyone"], ["check"]):
        assert run([*command, "--data", str(folder)]) == 3
        assert path.name in capsys.readouterr().err


def test_another_writer_is_refused(
    data: Path, server: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is being served cannot be loaded into."""
    del server
    assert run(load_arguments(files, data)) == 1
    assert "is in use by process" in capsys.readouterr().err


def test_other_machines_are_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that other machines reach needs `--insecure`."""
    assert run(["serve", "--data", str(data), "--listen", "0.0.0.0:0"]) == 1
    assert "--insecure" in capsys.readouterr().err


def test_infer_shows_the_schema_before_loading(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--infer` proposes types, shows them as TOML, and loads."""
    schema = tmp_path / "ids.toml"
    schema.write_text('id = "customer_id"\n')
    arguments = ["load", "--data", str(tmp_path / "shop"), "--schema", str(schema), "--infer"]
    arguments += ["--contacts", str(files / "customers.csv"), "--yes"]
    assert run([*arguments, "--rejects", str(tmp_path / "rejects.csv")]) == 0
    shown = capsys.readouterr()
    assert 'total_spent = "number"' in re.sub(r" +=", " =", shown.err)
    assert 'signed_up = "date"' in re.sub(r" +=", " =", shown.err)
    assert "3 new" in shown.out
    ask = ["count", "total_spent > 100", "--data", str(tmp_path / "shop")]
    assert printed(capsys, ask) == "1\n"


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has help, and each is named on the interface page."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
    app = command_line()
    names = [one.name or "" for one in app.registered_commands]
    assert {"load", "serve", "count", "members", "validate", "stats", "check", "demo"} <= set(names)
    groups = [group for group in app.registered_groups if group.typer_instance is not None]
    for group in groups:
        inside = group.typer_instance.registered_commands
        names += [f"{group.name} {one.name or one.callback.__name__}" for one in inside]
    for name in names:
        assert run([*name.split(), "--help"]) == 0
        assert "Usage: headcount" in capsys.readouterr().out
        assert f"`headcount {name}`" in page


@pytest.mark.parametrize("words", [["count", "everyone"], ["members", "everyone"], ["stats"]])
@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written_is_one_line(
    data: Path, words: list[str], output: str
) -> None:
    """A full or closed standard output is said in one line, without a traceback."""
    command = shlex.join([sys.executable, "-m", "headcount.cli.main", *words, "--data", str(data)])
    done = subprocess.run(
        ["sh", "-c", f"{command} {output}"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("headcount: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [["members", "everyone"], ["stats"], ["members", "contry = 1"]])
def test_a_reader_who_has_seen_enough(data: Path, words: list[str]) -> None:
    """`| head` closes the pipe: that is no failure, and nothing is said; an error still is."""
    command = [sys.executable, "-m", "headcount.cli.main", *words, "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    wrong = words[-1] == "contry = 1"
    assert (process.returncode, bool(said)) == (int(wrong), wrong)
