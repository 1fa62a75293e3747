"""
The state machine of `support.machine`, half a minute of it, and what it is worth.

HEADCOUNT_MACHINE_EXAMPLES in the environment runs more; `make soak` does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from headcount.index.view import View
from headcount.live import edit, pieces, recent, writer
from headcount.query import census, engine
from support.machine import Machine

EXAMPLES = int(os.environ.get("HEADCOUNT_MACHINE_EXAMPLES", "50"))


@pytest.fixture(autouse=True)
def joins_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pieces be joined when there are three, and few segments be counted together."""
    monkeypatch.setattr(pieces, "_LOOSE", 2)
    monkeypatch.setattr(engine, "FEWEST", 1)


Machine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestMachine = Machine.TestCase


def _nothing_replaced(column: Any, *_: object) -> Any:
    return column


def _all_kept(table: Any, *_: object) -> Any:
    return table


def _nobody_leaves(blocks: Any, *_: object) -> Any:
    return list(blocks)


def _nothing_replayed(view: View, *_: object, **__: object) -> View:
    return view


def _nobody_changed(*_: object) -> Any:
    return np.zeros(0, dtype=np.int64)


def _lossy(join: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def joined(held: Any) -> Any:
        found = join(held)
        return found if len(found) == len(held) else found[:-1]

    return joined


@pytest.mark.parametrize(
    ("module", "name", "mistake"),
    [
        (edit, "replaced", _nothing_replaced),  # values are never changed
        (pieces, "without_repeats", _all_kept),  # an event that is sent twice counts twice
        (recent, "without_rows", _nobody_leaves),  # who moves is in two places
        (writer, "replayed", _nothing_replayed),  # a restart loses the log
        (pieces, "joined", _lossy(pieces.joined)),  # newer events are lost when joined
        (census, "changed", _nobody_changed),  # what was counted together stays
    ],
)
def test_planted_mistakes_are_seen(
    module: Any, name: str, mistake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine fails, whatever it says, for each of them."""
    monkeypatch.setattr(module, name, mistake)
    few = settings(
        max_examples=300,
        stateful_step_count=40,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(Exception, match=r".*"):
        run_state_machine_as_test(Machine, settings=few)
