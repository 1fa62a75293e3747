"""
Flipped bits anywhere in a data folder that was served: each is found, or changes no answer.

The generation, the log, its mark, the manifest, the saved segments, the watches.
HEADCOUNT_FLIPS in the environment is how many; `make soak` has more of them.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from headcount.cli.main import run
from headcount.client import Client
from headcount.model.errors import CorruptionError
from headcount.storage import tables
from headcount.storage.folder import workspace_folder
from headcount.storage.snapshot import Snapshot
from support.history import COMMON, LABELS
from support.killing import TIME, Record, Upsert
from support.live_server import live_served, make_folder
from support.nursery import nursery
from support.writing import SCHEMA

FLIPS = int(os.environ.get("HEADCOUNT_FLIPS", "100"))
QUERIES = [
    "everyone",
    "spent > 1",
    'label contains "l1"',
    "did open at least 2 times",
    'in list "news"',
    'country = DE and in segment "known"',
]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose server was killed: a generation, a log behind it, watches."""
    folder = make_folder(tmp_path_factory.mktemp("folders") / "killed", SCHEMA)
    with nursery() as starts:
        server = starts.serve(folder)
        with Client(server.address) as client:
            _write(client, 0)
            client.create_segment("known", "did open")
            client.create_watch("watched", "spent > 1")
            client.compact()
            for number in range(1, 6):
                _write(client, number)
        server.kill()
    return folder


def _write(client: Client, number: int) -> None:
    for label in LABELS:
        ids = (*COMMON, f"contact {number}")
        Upsert(ids, float(number), label).send(client, f"{label} {number}")
        Record(ids).send(client, f"opened {label} {number}")
    joins = [{"list": "news", "action": "join", "time": TIME}]
    fields = {"country": "DE", "email": f"{number}@example.com"}
    client.upsert([{"id": f"contact {number}", "fields": fields, "lists": joins}])


def answers(folder: Path) -> str:
    """Return what a server of the folder says, and what its check finds, as JSON."""
    with live_served(folder, log__level="error") as server, Client(server.address) as client:
        found: list[object] = list(map(str, client.count_many(QUERIES)))
        page = client.list_members("everyone", fields=["email", "spent"], page_size=100)
        found += [sorted(str(one) for one in page.contacts), str(page.info.version)]
        found += [str(client.get_segment("known")), str(client.get_watch("watched"))]
        return json.dumps([found, client.check()], default=str)


class _Whatever(int):
    """A checksum that is equal to any."""

    def __new__(cls, *_: object) -> _Whatever:
        """Look at nothing."""
        return super().__new__(cls, 0)

    def __eq__(self, _: object) -> bool:
        """Be equal."""
        return True

    def __ne__(self, _: object) -> bool:
        """Be it always."""
        return False

    __hash__ = int.__hash__


def outcome(folder: Path, file: Path, place: int, bit: int, expected: str) -> str:
    """Flip a bit of a file, serve the folder, and return `found`, `harmless` or what was wrong."""
    path = folder / file
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)
    try:
        found = answers(folder)
    except CorruptionError as error:
        return "found" if "restore" in str(error) else f"no way out: {error}"
    if found == expected:
        return "harmless"
    return "found" if json.loads(found)[1] else f"byte {place} of {file}: answered {found}"


def test_every_flip_is_found_or_changes_nothing(killed: Path, tmp_path: Path) -> None:
    """A hundred bits, in files chosen as often one as the other."""
    expected = answers(Path(shutil.copytree(killed, tmp_path / "whole")))
    assert json.loads(expected)[1] == []
    files = sorted(path.relative_to(killed) for path in killed.rglob("*") if path.is_file())
    files = [path for path in files if path.name != "lock" and (killed / path).stat().st_size]
    chance, outcomes = random.Random(6), Counter[tuple[str, str]]()
    for number in range(FLIPS):
        folder = tmp_path / f"{number}"
        shutil.copytree(killed, folder)
        file = files[number % len(files)]
        place = chance.randrange((folder / file).stat().st_size)
        found = outcome(folder, file, place, chance.randrange(8), expected)
        outcomes[file.name, found] += 1
        shutil.rmtree(folder)
    assert {what for _, what in outcomes} == {"found", "harmless"}
    assert sum(count for (_, what), count in outcomes.items() if what == "found") > FLIPS // 3
    assert outcomes["manifest.json", "harmless"] == outcomes["log.mark", "harmless"] == 0


def test_control_without_checksums_wrong_answers_are_given(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: a flip in a value is seen by nothing else, and what looks for flips sees it."""
    expected = answers(Path(shutil.copytree(killed, tmp_path / "whole")))
    (file,) = (path.relative_to(killed) for path in killed.rglob("gen-*.db"))
    texts = re.finditer(b"news|DE|contact 0", (killed / file).read_bytes())
    monkeypatch.setattr(Snapshot, "_verify", lambda *_: None)
    monkeypatch.setattr(tables, "part_sum", _Whatever)
    outcomes = []
    for found in texts:
        folder = Path(shutil.copytree(killed, tmp_path / f"{found.start()}"))
        outcomes.append(outcome(folder, file, found.start(), 0, expected))
    assert any("answered" in one for one in outcomes), outcomes


@pytest.mark.parametrize(
    ("pattern", "inside"),
    [
        ("log-*.db", b"contact 5"),
        ("log.mark", b"HCMK"),
        ("segments.db", b"did open"),
        ("watches.db", b"contact 5"),
    ],
)
def test_check_names_the_damaged_file(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], pattern: str, inside: bytes
) -> None:
    """`headcount check` ends with 3, names the file and says what to do."""
    folder = Path(shutil.copytree(killed, tmp_path / "data"))
    answers(folder)  # and closes it in peace: no write-ahead log is left
    assert run(["check", "--data", str(folder)]) == 0
    capsys.readouterr()
    path = max(workspace_folder(folder, "default").glob(pattern))
    content = bytearray(path.read_bytes())
    content[content.rindex(inside)] ^= 1
    path.write_bytes(content)
    status, shown = run(["check", "--data", str(folder)]), capsys.readouterr().err
    assert status == 3, shown
    assert f"damaged data: workspace default: {path}" in shown
    assert "restore" in shown
