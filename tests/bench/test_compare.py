"""The comparison with rivals: equal answers or an error, and what happens to those not there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench import data, goals, load, machine, report, threads
from bench.compare import Disagreement, compare
from bench.questions import QUESTIONS, Question
from bench.rivals import RIVALS, GaveUp
from bench.timing import Budget

# These need nothing but the libraries of the [dev] extra.
RIVALS_HERE = ("DuckDB", "numpy")
ABOUT = {"contacts": 3_000, "events": 40_000, "commits": {"questions": "abcdef1"}}
FEW = {name: Budget(seconds=0.001, most=2, least=1) for name in ("Headcount", *RIVALS)}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> data.Data:
    """Return the data of 3,000 contacts, loaded by Headcount."""
    made = data.prepare(tmp_path_factory.mktemp("bench"), 3_000, 40_000)
    load.measure(made.files, made.headcount)
    return made


def test_every_question_has_one_answer(small: data.Data) -> None:
    """Headcount, DuckDB and numpy agree on every question, and no answer is nobody or everybody."""
    found = compare(small.rivals, small.headcount, RIVALS_HERE, allowed=FEW)
    assert set(found["questions"]) == set(QUESTIONS)
    for question in found["questions"].values():
        assert set(question["engines"]) == {"Headcount", *RIVALS_HERE}
        assert 0 < question["answer"] < 3_000, question["text"]
        assert question["moving"] > 0


def test_one_thread_stands_beside_two(small: data.Data) -> None:
    """Every question is timed on both; the goals find the figures, the page shows them."""
    found = {"threads": threads.measure(small.headcount, Budget(seconds=0.001, most=2, least=1))}
    assert set(found["threads"]) == set(QUESTIONS)
    assert all(set(by) == {"1", "2"} for by in found["threads"].values())
    (two,) = (g for g in goals.read({10_000_000: found}) if g.number == 2)
    assert all(figure.found for figure in two.figures)
    shown = {"six conditions": {"1": 0.003, "2": 0.002}}
    assert "| six conditions | 3.000 | 2.000 | 1.50 |" in threads.table(shown)


def test_a_rival_with_a_wrong_answer_ends_the_run(
    small: data.Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count that is off by one is found, whichever engine it is."""
    from bench.rivals.duck import DuckDB

    right = DuckDB.ask

    def wrong(self: DuckDB, question: Question) -> Callable[[], int]:
        return lambda: right(self, question)() + (question.name == "number range")

    monkeypatch.setattr(DuckDB, "ask", wrong)
    with pytest.raises(Disagreement, match="number range"):
        compare(small.rivals, small.headcount, RIVALS_HERE, allowed=FEW)


def test_a_rival_that_is_not_installed_is_absent(
    small: data.Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on, the result says why, and the table says absent."""
    monkeypatch.setitem(RIVALS, "PostgreSQL", ("bench.rivals.no_such_module", "PostgreSQL"))
    asked = [QUESTIONS["one keyword"]]
    found = compare(small.rivals, small.headcount, ("PostgreSQL", "DuckDB"), asked, FEW)
    assert "not installed" in found["rivals"]["PostgreSQL"]["absent"]
    assert set(found["questions"]["one keyword"]["engines"]) == {"Headcount", "DuckDB"}
    about = ABOUT | {"machine": machine.describe()}
    text = "\n".join(report.section(found | about))
    assert "| PostgreSQL | absent: bench.rivals.no_such_module is not installed | |" in text
    (row,) = (line for line in text.splitlines() if line.startswith("| one keyword | 7"))
    assert row.count("| absent ") == 6


def test_each_part_is_said_to_be_of_the_machine_it_was_measured_on() -> None:
    """Parts measured later and elsewhere do not make the earlier ones figures of that machine."""
    here = {"processor": "A 1", "cores": "2", "commit": "abcdef1", "dirty": "no"}
    there = here | {"processor": "B 2", "commit": "1234567"}
    commits = {"load": "abcdef1", "live": "1234567", "watches": "1234567"}
    results = {"machine": there, "commits": commits, "machines": {"load": here}}
    assert " ".join(report._measured(results)) == (
        "Measured at commit abcdef1 (load) on A 1; cores 2."
        " Measured at commit 1234567 (live, watches) on B 2; cores 2."
    )


def test_a_rival_that_gives_up_is_not_timed(
    small: data.Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that takes a rival too long is given up once, and the table says so."""
    from bench.rivals.columns import Numpy

    def slow(_: Numpy, question: Question) -> Callable[[], int]:
        def call() -> int:
            assert question.name == "sequence"
            raise GaveUp(60)

        return call

    monkeypatch.setattr(Numpy, "ask", slow)
    asked = [QUESTIONS["sequence"]]
    found = compare(small.rivals, small.headcount, RIVALS_HERE, asked, FEW)
    assert found["questions"]["sequence"]["engines"]["numpy"] == {"gave_up": 60}
    about = ABOUT | {"machine": machine.describe()}
    assert "| > 60 s |" in "\n".join(report.section(found | about))


def test_a_rival_that_gives_up_later_is_not_timed(
    small: data.Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that answered once and then took too long is said to have given up."""
    from bench.rivals.columns import Numpy

    right, asked = Numpy.ask, [QUESTIONS["sequence"]]

    def slow(self: Numpy, question: Question) -> Callable[[], int]:
        answer, calls = right(self, question), iter(range(9))

        def call() -> int:
            assert answer is not None
            if next(calls):
                raise GaveUp(60)
            return answer()

        return call

    monkeypatch.setattr(Numpy, "ask", slow)
    found = compare(small.rivals, small.headcount, RIVALS_HERE, asked, FEW)
    assert found["questions"]["sequence"]["engines"]["numpy"] == {"gave_up": 60}


def test_every_rival_says_what_it_can(small: data.Data, tmp_path: Path) -> None:
    """All that are installed here agree with Headcount; one that is not is absent with a reason."""
    out, home = tmp_path / "results.json", small.headcount.parent.parent
    run = [sys.executable, "-m", "bench", "--contacts", "3000", "--events", "40000"]
    run += ["--only", "questions", "--data", str(home), "--out", str(out), "--seconds", "0.01"]
    subprocess.run(run, check=True, capture_output=True)  # chdb is at home in its own process
    found = json.loads(out.read_text())
    assert set(found["rivals"]) == set(RIVALS)
    for name, about in found["rivals"].items():
        said = [one for one in found["questions"].values() if name in one["engines"]]
        assert about.get("absent") or len(said) >= 4


def test_the_ratio_is_to_the_best_rival() -> None:
    """The fastest of those that answered counts, and a missed goal is marked."""
    engines = {
        name: {"first": ms, "median": ms, "p99": ms, "rounds": 1}
        for name, ms in (("Headcount", 2.0), ("DuckDB", 30.0), ("Polars", 10.0), ("numpy", 1.0))
    }
    question = {"engines": engines, "goal": 20}
    assert report.best_ratio(question, report.RIVALS) == 5.0
    assert report._ratio(question, [*report.RIVALS]) == "5.0× (goal 20×)"
    assert report._ratio(question, [report.FLOOR]) == "0.5×"


def test_data_is_made_once(tmp_path: Path) -> None:
    """A second run finds the files of the first; an unfinished folder is made again."""
    made = data.prepare(tmp_path, 50, 200)
    stamp = made.rivals.contacts.stat().st_mtime_ns
    assert data.prepare(tmp_path, 50, 200).rivals.contacts.stat().st_mtime_ns == stamp
    (tmp_path / "50-300" / "files.unfinished" / "left").mkdir(parents=True)
    assert data.prepare(tmp_path, 50, 300).files.events.exists()
    assert not (tmp_path / "50-300" / "files.unfinished").exists()


def test_a_result_says_what_it_was_measured_on() -> None:
    """Every result carries commit, dirtiness, and the version of every engine, as JSON."""
    found = json.loads(json.dumps(machine.describe()))
    assert {"commit", "dirty", "processor", "cores", "memory", "duckdb", "postgres"} <= set(found)
    assert found["python"].startswith(f"{sys.version_info.major}.")
    assert replace(QUESTIONS["sequence"], kind="field").goal == 3
    assert QUESTIONS["sequence"].goal == 20
