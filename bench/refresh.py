"""
What it costs to count 10,000 saved segments of two conditions anew, all of them at once.

They are saved in a copy of the data folder, and opened from there. Each mixture is of one kind of
pair, or of several; one segment in six is negated, another one in six joined by `or`.

    first          read, bound and planned, and counted
    all            nothing remembered but what the segments mean
    version        sixteen contacts were patched since they were counted last
    second         the same data a second later, by which windows have moved
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

from headcount.embedded import Workspace
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.view import View
from headcount.query.parse import parse
from headcount.query.results import Results
from headcount.segments.definition import Definition, Draft
from headcount.storage.definitions import read_definitions, write_definitions
from headcount.storage.folder import WriterLock

_SEGMENTS = 10_000
_ROUNDS = 7
_PATCHED = 16  # contacts
_KEYWORDS = ("country", "plan", "stage", "city", "status")
_NUMBERS = ("total_spent", "lead_score")
_DATES = ("signed_up_at", "created_at")
_EVENTS = ("email_open", "email_click", "purchase", "page_view")
_clock = time.perf_counter
_MOST_DAYS = 730
_DAYS = tuple(range(7, 366, 7))  # of events, of which there are no more than some hundred windows

MIXTURES = {
    "keywords": "keyword and keyword",
    "labels": "keyword and label",
    "numbers": "keyword and number range",
    "booleans": "keyword and boolean",
    "dates": "date range and label",
    "mixture": "these five mixed",
    "events": "keyword and event count",
}


def measure(folder: Path, as_of: dt.datetime) -> dict[str, dict[str, float]]:
    """Return median seconds by mixture and by what was asked; *folder* is copied, not written."""
    found = {}
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        copy = Path(temporary) / "data"
        shutil.copytree(folder, copy)
        for name in MIXTURES:
            found[name] = _measured(copy, name, as_of)
    return found


def _measured(folder: Path, mixture: str, as_of: dt.datetime) -> dict[str, float]:
    with Workspace.open(folder) as workspace:
        texts = _texts(mixture, workspace.view)
    _save(folder, texts, as_of)
    ticks = count(1)
    with Workspace.open(folder, results=Results(0)) as workspace:
        saved = _saved(workspace)
        start = _clock()
        right = workspace.count_many(saved, as_of=as_of)
        first = _clock() - start
        anew = _median(lambda: workspace.count_many(saved, as_of=as_of))
    with Workspace.open(folder) as workspace:
        saved = _saved(workspace)
        assert workspace.count_many(saved, as_of=as_of) == right

        def patch() -> None:
            number = next(ticks)
            ids = _ids(workspace, number)
            workspace.patch([{"id": one, "fields": {"lead_score": number}} for one in ids])

        version = _median(lambda: workspace.count_many(saved, as_of=as_of), patch)

        def later() -> dt.datetime:
            return as_of + dt.timedelta(seconds=next(ticks))

        second = _median(lambda: workspace.count_many(saved, as_of=later()))
    return {"first": first, "all": anew, "version": version, "second": second}


def _ids(workspace: Workspace, number: int) -> list[str]:
    """Return the ids of some contacts, others for each *number*."""
    ids = workspace.view.blocks[0].ids.array
    rows = ((number * 7_919 + one * 104_729) % len(ids) for one in range(_PATCHED))
    return [ids[row].as_py() for row in rows]


def _save(folder: Path, texts: Sequence[str], as_of: dt.datetime) -> None:
    """Save segments in one write, where one after the other would write all of them each time."""
    now = int(as_of.timestamp() * 1e6)
    with WriterLock(folder) as lock:
        rows = {}
        for number, text in enumerate(texts):
            draft = Draft(f"segment {number:05}", parse(text))
            rows[draft.name] = Definition.of(draft, number, now, now).to_document()
        write_definitions(read_definitions(folder, "default"), rows, lock)


def _saved(workspace: Workspace) -> list[str]:
    """Return the texts of all saved segments, page by page, as somebody who shows them does."""
    found, token = [], ""
    while True:
        page = workspace.list_segments(page_token=token, page_size=1_000)
        found += [one.text for one in page.segments]
        token = page.next_token
        if not token:
            return found


def _texts(mixture: str, view: View) -> list[str]:
    """Return 10,000 different segments of one kind, one in three of them negated or with `or`."""
    dice = random.Random(f"refresh {mixture}")
    kinds = list(MIXTURES)[:5] if mixture == "mixture" else [mixture]
    found: dict[str, None] = {}
    while len(found) < _SEGMENTS:
        how = dice.choice(("{} and {}",) * 4 + ("{} and not {}", "{} or {}"))
        found[how.format(*_two(dice.choice(kinds), dice, view))] = None
    return list(found)


def _two(kind: str, dice: random.Random, view: View) -> tuple[str, str]:
    """Return two conditions of one kind of pair."""
    label = f'label contains "{dice.choice(_values(view, "label"))}"'
    if kind == "dates":
        field, days = dice.choice(_DATES), dice.randint(1, _MOST_DAYS)
        return f"{field} within last {days} days", label
    name, *others = dice.sample(_KEYWORDS, 2)
    keyword = _equal(name, dice, view)
    match kind:
        case "keywords":
            return keyword, _equal(others[0], dice, view)
        case "labels":
            interest = dice.choice(_values(view, "interests"))
            return keyword, dice.choice((label, f'interests contains "{interest}"'))
        case "numbers":
            low = dice.randrange(0, 100)
            field = dice.choice(_NUMBERS)
            return keyword, f"{field} between {low} and {low + dice.randrange(10, 400, 10)}"
        case "booleans":
            return f"{keyword}", dice.choice(("vip = true", "vip = false"))
    event, times, days = dice.choice(_EVENTS), dice.randint(1, 3), dice.choice(_DAYS)
    return keyword, f"did {event} at least {times} times in last {days} days"


def _equal(name: str, dice: random.Random, view: View) -> str:
    """Return a condition that a keyword is one of the values that there are, or one of two."""
    values = _values(view, name)
    if dice.random() < 0.3:
        return f'{name} in ("{dice.choice(values)}", "{dice.choice(values)}")'
    return f'{name} = "{dice.choice(values)}"'


def _values(view: View, name: str) -> list[str]:
    index = view.blocks[0].fields[name]
    assert isinstance(index, KeywordIndex | KeywordsIndex)
    return index.distinct_values()


def _median(call: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Return the median of the seconds that *call* takes; *before* it comes what is not timed."""
    taken = []
    for _ in range(_ROUNDS):
        before()
        start = _clock()
        call()
        taken.append(_clock() - start)
    return statistics.median(taken)


def table(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the figures as lines of Markdown."""
    lines = [
        "| 10,000 saved segments of two conditions, counted together: ms | first | all anew |"
        " 16 contacts written | a second later |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, one in found.items():
        figures = (one[what] * 1e3 for what in ("first", "all", "version", "second"))
        lines.append(f"| {MIXTURES[name]} | " + " | ".join(f"{ms:.1f}" for ms in figures) + " |")
    return [*lines, ""]
