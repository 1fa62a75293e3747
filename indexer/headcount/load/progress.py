"""What a load tells while it runs. Whoever shows a bar passes a function that takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Step:
    """
    How far a load is: `done` of `total` in the current `stage`.

    For the stages that read a file, named after it, `done` and `total` are bytes of the file and
    `rows` the rows read so far; for the stage `building`, all three count blocks.
    """

    stage: str
    rows: int
    done: int
    total: int


Progress: TypeAlias = Callable[[Step], None]


def silent(step: Step) -> None:
    """Show nothing."""
    del step
