"""What bench/README.md has once for all runs: the goals and the plots."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import goals, plots

HERE = Path(__file__).parent
PLOTS = {
    "latency.svg": "Latency against contacts",
    "ratios.svg": "How many times longer the best rival takes",
}


def finished(text: str, runs: Mapping[int, Mapping[str, Any]], folder: Path = HERE) -> str:
    """Return the page *text* with goals and plots of *runs*, the plots drawn into *folder*."""
    drawn = plots.draw(list(runs.values()), folder)
    shown = [f"![{PLOTS[path.name]}]({path.name})" for path in drawn]
    text = replaced(text, "plots", "\n\n".join(shown))
    return replaced(text, "goals", "\n".join(goals.page(runs)))


def replaced(text: str, name: str, new: str) -> str:
    """Return *text* with *new* between the marker comments of *name*, which must be there."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    assert begin in text, begin
    assert end in text, end
    return re.sub(
        f"{re.escape(begin)}.*{re.escape(end)}",
        lambda _: f"{begin}\n{new}\n{end}",
        text,
        flags=re.DOTALL,
    )
