"""
Broken oracles: copies of the oracle with one rule of docs/language.md got wrong.

An engine with such a mistake must not pass. So they test the generators and the comparison: those
are strong enough if every mistake, most of them made by real systems, shows within a few thousand
cases.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from support import strategies
from support.compare import Case, compare

SUPPORT = Path(__file__).parent
MODULES = ("oracle_time", "oracle_text", "oracle_values", "oracle_functions", "oracle",
           "oracle_audience", "oracle_reports",
)  # fmt: skip

Mistake = tuple[str, str, str, str]  # what is wrong; the module; the right text; the wrong text


class Cases:
    """Seeded cases with the oracle's answers, made when first asked for and then kept."""

    def __init__(self, seed: int, count: int) -> None:
        self._rest = strategies.seeded_cases(seed, count, sizes=(10, 20, 40))
        self._known: list[tuple[Case, set[str]]] = []

    def __iter__(self) -> Iterator[tuple[Case, set[str]]]:
        """Yield every case with its members, the same each time."""
        yield from self._known
        for case in self._rest:
            self._known.append((case, case.expected()))
            yield self._known[-1]


def broken_oracle(mistake: Mistake, part: str = "oracle") -> ModuleType:
    """Return a copy of the oracle, or of one *part* of it, that makes one mistake."""
    _, module, right, wrong = mistake
    package = ModuleType("broken")
    for name in MODULES:
        source = (SUPPORT / f"{name}.py").read_text()
        if name == module:
            assert source.count(right) == 1, f"the mistake does not fit {name} any more"
            source = source.replace(right, wrong)
        source = source.replace("from support.oracle", "from broken.oracle")
        source = source.replace("from support import oracle", "from broken import oracle")
        copy = ModuleType(f"broken.{name}")
        setattr(package, name, copy)
        sys.modules |= {"broken": package, copy.__name__: copy}
        exec(compile(source, f"broken {name}", "exec"), copy.__dict__)
    broken: ModuleType = getattr(package, part)
    for name in ("broken", *(f"broken.{name}" for name in MODULES)):
        del sys.modules[name]
    return broken


def seen_after(broken: ModuleType, cases: Cases) -> int | None:
    """Return how many cases it takes to see that an oracle is broken; None if none shows it."""
    for number, (case, expected) in enumerate(cases, 1):
        try:
            found = broken.members(case.world, case.segment, case.as_of, case.zone)
        except (ArithmeticError, TypeError, ValueError, AttributeError, broken.RefusedError):
            return number  # an engine that fails is seen as well
        if found != expected:
            assert compare(case, found) is not None
            return number
    return None
