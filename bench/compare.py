"""
Headcount and its rivals, asked the same questions in one run.

All are loaded at once and take turns. Before a question is timed, all engines that can say it must
give the same number: one that does not ends the run, since a figure beside a wrong answer is worth
nothing. What an engine cannot say is left out of its results, and an engine that is not installed
is listed as absent, with the reason.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.data import RivalFiles
from bench.engines import Headcount
from bench.questions import NOW, QUESTIONS, Question
from bench.rivals import RIVALS, Absent, GaveUp, Rival, open_rival
from bench.timing import Budget, once, side_by_side

OURS = Headcount.name
SECONDS = 0.5  # of each rival for each question
_SECONDS_LATER = 41  # calls, each a second later than the last
_SLOW = 4  # times that: a call that is not made more often than it must be
Call = Callable[[], int]


def budgets(seconds: float = SECONDS) -> dict[str, Budget]:
    """
    Return what each engine may use for a question.

    Headcount gets more, for a 99th percentile that means something.
    """
    rival = Budget(seconds, most=300, least=3)
    return dict.fromkeys(RIVALS, rival) | {OURS: Budget(4 * seconds, most=1000, least=20)}


class Disagreement(Exception):  # noqa: N818
    """Two engines gave different numbers for one question."""


def compare(
    files: RivalFiles,
    folder: Path,
    rivals: Iterable[str] = tuple(RIVALS),
    questions: Iterable[Question] = tuple(QUESTIONS.values()),
    allowed: Mapping[str, Budget] | None = None,
) -> dict[str, Any]:
    """
    Return what every engine took for every question, and which engines there were.

    Raises:
        Disagreement: two engines gave different numbers.
    """
    about: dict[str, Any] = {}
    with ExitStack() as stack:
        loaded: dict[str, Rival] = {}
        for name in rivals:
            start = time.perf_counter()
            try:
                loaded[name] = open_rival(name, files)
            except Absent as reason:
                about[name] = {"absent": str(reason)}
            else:
                stack.callback(loaded[name].close)
                seconds = time.perf_counter() - start
                about[name] = {"version": loaded[name].version, "load_seconds": seconds}
            print(f"{name}: {about[name]}", file=sys.stderr)
        ours = Headcount(folder)
        gc.collect()
        gc.freeze()  # so that no collection looks through what the rivals loaded
        found = {}
        for question in questions:
            calls: dict[str, Call] = {OURS: ours.ask(question)}
            for rival, engine in loaded.items():
                if call := engine.ask(question):
                    calls[rival] = call
            found[question.name] = ask(question, calls, allowed or budgets())
            found[question.name]["moving"] = moving(ours, question)
        gc.unfreeze()
    return {"rivals": about, "questions": found}


def moving(ours: Headcount, question: Question) -> float:
    """
    Return the median seconds of Headcount where every call is for another second.

    What it keeps of questions that were asked before must then fit another window, too.
    """
    seconds = range(1, _SECONDS_LATER + 1)
    calls = [ours.ask(question, NOW + timedelta(seconds=second)) for second in seconds]
    return statistics.median([once(call) for call in calls])


def ask(
    question: Question, calls: dict[str, Call], allowed: Mapping[str, Budget]
) -> dict[str, Any]:
    """Return the answer of all engines, and how long each took."""
    first, gave_up = {}, {}
    answers = {}
    for engine, call in list(calls.items()):
        start = time.perf_counter()
        try:
            answers[engine] = call()
        except GaveUp as slow:
            gave_up[engine] = {"gave_up": slow.seconds}
            del calls[engine]
        first[engine] = time.perf_counter() - start
    if len(set(answers.values())) != 1:
        raise Disagreement(f"{question.name}: the engines disagree: {answers}")
    patience = {engine: _patience(allowed[engine], first[engine]) for engine in calls}

    def tried(engine: str) -> Call:
        def call() -> int:
            try:
                return calls[engine]()
            except GaveUp as slow:  # it answered once, and now it does not
                gave_up[engine] = {"gave_up": slow.seconds}
                return answers[engine]

        return call

    timings = side_by_side({engine: tried(engine) for engine in calls}, patience, first)
    print(
        f"{question.name} ({answers[OURS]:,}):",
        ", ".join(f"{engine} {t.median * 1000:.3f} ms" for engine, t in timings.items()),
        file=sys.stderr,
    )
    return {
        "kind": question.kind,
        "goal": question.goal,
        "text": question.ours,
        "answer": answers[OURS],
        "engines": {engine: asdict(t) for engine, t in timings.items()} | gave_up,
    }


def _patience(budget: Budget, first: float) -> Budget:
    """Return the budget of an engine whose first call took so long: one more call of a slow one."""
    return replace(budget, least=1) if first > _SLOW * budget.seconds else budget
