"""The page of the benchmarks: figures come from results, and drawing them twice changes nothing."""

from __future__ import annotations

import copy
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bench import bound, edits, flat, goals, memory, page, plots

NAMES = {name: kind for kind, names in plots.SHOWN.items() for name in names}


def run(contacts: int, slower: float = 30.0) -> dict[str, Any]:
    """Return the results of a run in which a rival is so many times slower."""
    ours = {"first": 1.0, "median": contacts * 1e-10, "p99": contacts * 2e-10, "rounds": 9}
    rival = ours | {"median": ours["median"] * slower}
    engines = {"Headcount": ours, "DuckDB": rival, "numpy": ours, "Redis": {"gave_up": 30}}
    questions = {
        name: {"kind": kind, "text": name, "answer": 1, "engines": copy.deepcopy(engines)}
        for name, kind in NAMES.items()
    }
    return {"contacts": contacts, "events": 10 * contacts, "questions": questions}


RUNS = {n: run(n) for n in (1_000_000, 10_000_000, 100_000_000)}
PAGE = """\
# Page
<!-- begin plots -->
of a former run
<!-- end plots -->
<!-- begin goals -->
<!-- end goals -->
"""

GOALS = """
[[goal]]
number = 7
what = "a question"
why = "Because of the machine."
profile = "six conditions"
profile_of = 1_000_000
[[goal.figure]]
name = "median"
contacts = 1_000_000
path = "questions/six conditions/engines/Headcount/median"
times = 1e3
most = {most}
unit = "ms"
[[goal.figure]]
name = "share"
contacts = 1_000_000
worked_out = "share of an edit"
most = 0.2
unit = "×"
"""


def goal(tmp_path: Path, most: float, runs: goals.Runs = RUNS) -> goals.Goal:
    """Return the one goal of a file in which a median of 0.1 ms is to be at most so much."""
    path = tmp_path / "goals.toml"
    path.write_text(GOALS.format(most=most))
    (found,) = goals.read(runs, path)
    return found


# --- plots ------------------------------------------------------------------------------------


def test_drawing_again_changes_nothing(tmp_path: Path) -> None:
    """The same results give the same bytes, without a date or a number of their own."""
    first = [path.read_bytes() for path in plots.draw(list(RUNS.values()), tmp_path)]
    again = [path.read_bytes() for path in plots.draw(list(RUNS.values())[::-1], tmp_path)]
    assert len(first) == 2
    assert first == again
    assert not any(b"date" in one.lower() for one in first)


def test_other_results_are_drawn_otherwise(tmp_path: Path) -> None:
    """The control: a run that is slower makes other plots."""
    first = [path.read_bytes() for path in plots.draw(list(RUNS.values()), tmp_path)]
    small, middle, _ = RUNS.values()
    slower = plots.draw([small, middle, run(100_000_000, 40.0)], tmp_path)
    assert all(one != path.read_bytes() for one, path in zip(first, slower, strict=True))


def test_plots_are_svg_that_names_what_it_shows(tmp_path: Path) -> None:
    """Both are well-formed; questions and ratios are there as text."""
    texts = {}
    for path in plots.draw(list(RUNS.values()), tmp_path):
        texts[path.name] = " ".join(
            t for e in ET.fromstring(path.read_text()).iter() if (t := e.text)
        )
    assert set(texts) == set(page.PLOTS)
    assert all(name in texts["latency.svg"] for name in NAMES)
    assert texts["ratios.svg"].count("30×") == len(NAMES)
    assert "100,000,000 contacts" in texts["ratios.svg"]


def test_runs_without_questions_or_rivals(tmp_path: Path) -> None:
    """Without questions there is nothing to draw, without rivals no ratio."""
    assert plots.draw([{"contacts": 5}], tmp_path) == []
    alone = run(1_000_000)
    for question in alone["questions"].values():
        question["engines"] = {"Headcount": question["engines"]["Headcount"]}
    assert [path.name for path in plots.draw([alone], tmp_path)] == ["latency.svg"]


def test_the_best_rival_is_no_floor() -> None:
    """numpy is no rival, nor is one that gave up."""
    question = RUNS[1_000_000]["questions"]["sequence"]
    assert plots.best_rival(question) == pytest.approx(3e-3)


# --- goals ------------------------------------------------------------------------------------


def test_a_goal_is_reached_or_missed_by_its_figure(tmp_path: Path) -> None:
    """The figure decides, to the last digit; what is not measured decides nothing."""
    assert [one.reached for one in goal(tmp_path, 0.1).figures] == [True, None]
    assert [one.reached for one in goal(tmp_path, 0.0999).figures] == [False, None]
    assert not goal(tmp_path, 0.1).missed
    assert goal(tmp_path, 0.0999).missed
    assert [one.shown for one in goal(tmp_path, 1).figures] == ["0.1 ms", "not measured"]


def test_the_words_about_a_miss_are_there_while_it_is_missed(tmp_path: Path) -> None:
    """With the profile that the run took; both go when the goal is reached."""
    runs = {1_000_000: RUNS[1_000_000] | {"profiles": {"six conditions": ["where", "it went"]}}}
    path = tmp_path / "goals.toml"
    path.write_text(GOALS.format(most=0.05))
    missed = "\n".join(goals.page(runs, path))
    assert "**7, missed.** Because of the machine." in missed
    assert "where\nit went" in missed
    path.write_text(GOALS.format(most=5))
    assert "Because" not in "\n".join(goals.page(runs, path))


def test_a_figure_that_is_worked_out(tmp_path: Path) -> None:
    """Ratios are the least over the questions of a kind, shares those of two times."""
    runs = {1_000_000: RUNS[1_000_000] | {"edits": {"cold": 4.0, "edited": 1.0}}}
    assert goal(tmp_path, 1, runs).figures[1].found == 0.25
    assert goals.WORKED_OUT["least ratio, event"](RUNS[10_000_000]) == pytest.approx(30)
    slow = run(10_000_000)
    slow["questions"]["sequence"]["engines"]["DuckDB"]["median"] = 1e-4
    assert goals.WORKED_OUT["least ratio, event"](slow) == pytest.approx(0.1)
    assert goals.WORKED_OUT["least ratio, field"](slow) == pytest.approx(30)


def test_the_committed_goals_can_be_read() -> None:
    """All thirteen, each figure with a way to it; without any results none is reached or missed."""
    found = goals.read({})
    assert [one.number for one in found] == list(range(1, 14))
    assert all(one.figures for one in found)
    assert {f.reached for one in found for f in one.figures} == {None}
    asked = [f for one in tomllib.loads(goals.GOALS.read_text())["goal"] for f in one["figure"]]
    assert all(("path" in f) != ("worked_out" in f) for f in asked)
    assert {f["worked_out"] for f in asked if "worked_out" in f} <= set(goals.WORKED_OUT)


# --- the page ---------------------------------------------------------------------------------


def test_the_page_is_made_anew(tmp_path: Path) -> None:
    """Goals and plots take the place of what was between their marks, and stay as they are."""
    once = page.finished(PAGE, RUNS, tmp_path)
    assert "of a former run" not in once
    assert "![Latency against contacts](latency.svg)" in once
    assert "| 13 |" in once
    assert page.finished(once, RUNS, tmp_path) == once


def test_bounds_are_operands_by_bandwidth() -> None:
    """The table has what was read, the bound, and how far the median is above it."""
    bounds = {"sequence": {"operands": 2, "bytes": 18_400_256, "seconds": 5e-5}}
    results = RUNS[1_000_000] | {"bandwidth": [[262_144, 1e11]], "bounds": bounds}
    (row,) = (line for line in bound.table(results) if line.startswith("| sequence"))
    assert "| 2 | 18 MB | 0.0500 | 2.0× |" in row
    assert bound.table(RUNS[1_000_000]) == []
    speeds = [(1_000, 1e11), (100_000, 1e10)]
    assert bound.at(speeds, 1) == 1e11
    assert bound.at(speeds, 10_000) == pytest.approx(5.5e10)
    assert bound.at(speeds, 1e9) == 1e10


def test_tables_of_the_small_parts() -> None:
    """Each shows what was measured, in milliseconds."""
    by_events = {str(each): 2e-4 for each in flat.EVENTS_A_CONTACT}
    kinds = ("once", "three", "three in a past month")
    assert sum("0.200" in line for line in flat.table(dict.fromkeys(kinds, by_events))) == 3
    sizes = {"bytes_a_contact": 141.2, "bytes_an_event": 13.2, "resident_bytes": 4.1e8}
    assert "| 13.2 B |" in "\n".join(memory.table(sizes))
    assert "| 12.500 ms |" in "\n".join(edits.table({"cold": 0.0125, "edited": 0.001}))
