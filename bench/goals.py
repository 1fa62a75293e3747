"""
The goals, each with the figure that was reached: goals.toml drawn against the results.

A figure is a path into the results of a run (`questions/six conditions/engines/Headcount/median`)
or one of `WORKED_OUT`; the page is made anew from both, so it says what was measured, or that
nothing was. The words about a goal that was missed are shown only while it is; with them the
profile of its question, as the run took it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.plots import best_rival

HERE = Path(__file__).parent
GOALS = HERE / "goals.toml"
MILLION = 1e6
Run = Mapping[str, Any]
Runs = Mapping[int, Run]  # by the number of contacts


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a goal: what it is, what it should be, and what it is; None: not measured."""

    name: str
    wanted: str
    found: float | None
    shown: str
    reached: bool | None


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal; `why` says what explains a miss and what was tried, `profile` which question's."""

    number: int
    what: str
    figures: tuple[Figure, ...]
    why: str
    profile: tuple[str, ...]

    @property
    def missed(self) -> bool:
        """Return whether a figure is not what it should be."""
        return any(one.reached is False for one in self.figures)


def read(runs: Runs, path: Path = GOALS) -> list[Goal]:
    """Return the goals of *path* with their figures of *runs*."""
    return [_goal(one, runs) for one in tomllib.loads(path.read_text())["goal"]]


def _goal(about: Mapping[str, Any], runs: Runs) -> Goal:
    profile: list[str] = []
    if "profile" in about:
        run = runs.get(about["profile_of"], {})
        profile = run.get("profiles", {}).get(about["profile"], [])
    return Goal(
        number=about["number"],
        what=about["what"],
        figures=tuple(_figure(one, runs) for one in about["figure"]),
        why=" ".join(about.get("why", "").split()),
        profile=tuple(profile),
    )


def _figure(about: Mapping[str, Any], runs: Runs) -> Figure:
    run = runs.get(about["contacts"], {})
    found = _worked_out(about, run) if "worked_out" in about else _at(run, about["path"])
    most, least = about.get("most"), about.get("least")
    assert (most is None) != (least is None), about
    unit, factor = about["unit"], float(about.get("times", 1.0))
    wanted = f"≤ {_number(most)} {unit}" if least is None else f"≥ {_number(least)} {unit}"
    if found is None:
        return Figure(about["name"], wanted, None, "not measured", None)
    value = found * factor
    reached = value <= most if least is None else value >= least
    return Figure(about["name"], wanted, value, f"{_number(value)} {unit}", reached)


def _worked_out(about: Mapping[str, Any], run: Run) -> float | None:
    try:
        return WORKED_OUT[about["worked_out"]](run)
    except KeyError as missing:
        if missing.args[0] == about["worked_out"]:
            raise
        return None  # a part of the run that was not measured


def _at(run: Run, path: str) -> float | None:
    """Return the number at *path* of a run, names divided by slashes; None if it is not there."""
    here: Any = run
    for name in path.split("/"):
        if not isinstance(here, Mapping) or name not in here:
            return None
        here = here[name]
    return float(here)


def _number(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1e6:.3g}M"
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


# --- figures that are made of several ---------------------------------------------------------


def _ratios(run: Run, *kinds: str) -> list[float]:
    found = []
    for question in run["questions"].values():
        best = best_rival(question)
        if best is not None and (not kinds or question["kind"] in kinds):
            found.append(best / question["engines"]["Headcount"]["median"])
    return found


def _least_ratio(*kinds: str) -> Callable[[Run], float]:
    def least(run: Run) -> float:
        ratios = _ratios(run, *kinds)
        if not ratios:
            raise KeyError("questions")
        return min(ratios)

    return least


def _flat(question: str) -> Callable[[Run], float]:
    return lambda run: max(run["flat"][question].values())


def _contacts_a_second(run: Run) -> float:
    return float(run["contacts"]) / _contacts_seconds(run)


def _events_a_second(run: Run) -> float:
    return float(run["events"]) / (run["load"]["load_seconds"] - _contacts_seconds(run))


def _contacts_seconds(run: Run) -> float:
    """Return what a load of the contacts alone took; `KeyError` where there was none."""
    seconds = run["load"]["contacts_seconds"]
    if seconds is None:
        raise KeyError("contacts_seconds")
    return float(seconds)


WORKED_OUT: dict[str, Callable[[Run], float]] = {
    "least ratio, field": _least_ratio("field"),
    "least ratio, event": _least_ratio("event"),
    "least ratio": _least_ratio(),
    "most seconds, once, 1 to 100 events": _flat("once"),
    "most seconds, three, 1 to 100 events": _flat("three"),
    "range for a million": lambda run: (
        run["questions"]["number range"]["engines"]["Headcount"]["median"]
        * MILLION
        / run["contacts"]
    ),
    "contacts and events a second": lambda run: (
        (run["contacts"] + run["events"]) / run["load"]["load_seconds"]
    ),
    "contacts a second": _contacts_a_second,
    "events a second": _events_a_second,
    "bytes a second to the first answer": lambda run: (
        run["load"]["disk_bytes"] / run["load"]["open_seconds"]
    ),
    "share of an edit": lambda run: run["edits"]["edited"] / run["edits"]["cold"],
}


# --- the page ---------------------------------------------------------------------------------


def page(runs: Runs, path: Path = GOALS) -> list[str]:
    """Return the table of goals, and what is to be said of those that were missed, as Markdown."""
    goals = read(runs, path)
    lines = [
        "One process, up to two threads and results not remembered unless said. *Not measured* is a"
        " figure that no run here has.",
        "",
        "| # | what | goal | figure | |",
        "|---:|---|---:|---:|---|",
    ]
    for goal in goals:
        for place, one in enumerate(goal.figures):
            number = str(goal.number) if not place else ""
            what = f"{goal.what}: {one.name}" if not place else one.name
            word = {True: "reached", False: "**missed**", None: ""}[one.reached]
            lines.append(f"| {number} | {what} | {one.wanted} | {one.shown} | {word} |")
    lines.append("")
    for goal in goals:
        if goal.missed:
            lines += [f"**{goal.number}, missed.** {goal.why or 'Not looked into yet.'}", ""]
            if goal.profile:
                lines += ["```text", *goal.profile, "```", ""]
    return lines
