"""
The plots of bench/README.md, drawn from the results: `python -m bench.report` makes both.

    latency.svg    latency against contacts: Headcount, and the best rival in each run
    ratios.svg     how many times longer the best rival takes, question by question

SVG with text as text and without a date, so that drawing again what has not changed changes
nothing, and a diff can be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

OURS = "Headcount"
NOT_RIVALS = (OURS, "numpy")  # numpy is what one has without any index
SHOWN = {
    "field": ("one keyword", "six conditions", "number range", "text contains", "29 rows"),
    "event": (
        "opened once in 30 days",
        "opened 3 times in 30 days",
        "opened 3 times in a past year",
        "event with properties",
        "sequence",
    ),
}
GOALS = {"field": 3, "event": 20}
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")  # told apart by everybody
_STYLE = {
    "svg.hashsalt": "headcount",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with the library
    "font.size": 9,
}
Runs = Sequence[Mapping[str, Any]]


def draw(runs: Runs, folder: Path) -> list[Path]:
    """Write the plots of *runs* (results of different sizes) into *folder*, if there are any."""
    asked = sorted((r for r in runs if r.get("questions")), key=lambda r: int(r["contacts"]))
    if not asked:
        return []
    compared = [run for run in asked if any(best_rival(q) for q in run["questions"].values())]
    with mpl.rc_context(_STYLE):
        made = [_save(_latency(asked), folder / "latency.svg")]
        if compared:
            made.append(_save(_ratios(compared[-1]), folder / "ratios.svg"))
    return made


def best_rival(question: Mapping[str, Any]) -> float | None:
    """Return the least median of a rival, in seconds; None if no rival answered."""
    medians = [
        engine["median"]
        for name, engine in question["engines"].items()
        if name not in NOT_RIVALS and "median" in engine
    ]
    return min(medians, default=None)


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    # The library leaves spaces at the ends of lines, which editors take away.
    lines = path.read_text().split("\n")
    path.write_text("\n".join(line.rstrip() for line in lines))
    return path


def _latency(runs: Runs) -> Figure:
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    panels: Sequence[Axes] = figure.subplots(1, 2, sharey=True)
    for panel, (kind, names) in zip(panels, SHOWN.items(), strict=True):
        for colour, name in zip(_COLOURS, names, strict=True):
            ours = [
                (run["contacts"], run["questions"][name]["engines"][OURS]["median"])
                for run in runs
                if name in run["questions"]
            ]
            theirs = [
                (run["contacts"], best)
                for run in runs
                if name in run["questions"] and (best := best_rival(run["questions"][name]))
            ]
            _line(panel, ours, colour, "o-", name)
            _line(panel, theirs, colour, "x:", None)
        panel.set(xscale="log", yscale="log", xlabel="contacts", title=f"{kind} questions")
        panel.set_xlim(0.8e6, 1.25e8)
        panel.grid(visible=True, which="major", alpha=0.3)
        panel.legend(loc="upper left", fontsize=7)
    panels[0].set_ylabel("milliseconds, median; dotted: the best rival")
    return figure


def _line(
    panel: Axes, points: Sequence[tuple[float, float]], colour: str, style: str, label: str | None
) -> None:
    if points:
        contacts, seconds = zip(*points, strict=True)
        panel.plot(
            contacts,
            [1e3 * one for one in seconds],
            style,
            color=colour,
            label=label,
            markersize=4,
            linewidth=1.4,
        )


def _ratios(run: Mapping[str, Any]) -> Figure:
    bars = [
        (question["kind"], name, best / question["engines"][OURS]["median"])
        for name, question in run["questions"].items()
        if (best := best_rival(question))
    ]
    bars.sort(key=lambda bar: (bar[0] != "field", bar[0], bar[2]))
    kinds = list(dict.fromkeys(kind for kind, _, _ in bars))
    figure = Figure(figsize=(9, 0.6 + 0.27 * len(bars)), layout="constrained")
    panel = figure.subplots()
    places = range(len(bars))
    colours = [_COLOURS[kinds.index(kind)] for kind, _, _ in bars]
    panel.barh(places, [ratio for _, _, ratio in bars], color=colours)
    panel.set_yticks(places, [name for _, name, _ in bars])
    for place, (_, _, ratio) in zip(places, bars, strict=True):
        shown = f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.1f}×"
        panel.annotate(shown, (ratio, place), (3, 0), textcoords="offset points", va="center")
    for kind, goal in GOALS.items():
        mine = [place for place, bar in enumerate(bars) if bar[0] == kind]
        if mine:
            panel.plot([goal, goal], [mine[0] - 0.5, mine[-1] + 0.5], "k--", linewidth=1)
    panel.axvline(1, color="black", linewidth=1)
    panel.set(
        xscale="log",
        xlabel=f"times longer than {OURS}, the best rival, {run['contacts']:,} contacts;"
        " dashed: the goal of field and of event questions",
    )
    panel.set_xlim(min(0.5, *(ratio for *_, ratio in bars)), 3 * max(r for *_, r in bars))
    panel.invert_yaxis()
    return figure
