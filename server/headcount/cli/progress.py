"""Progress of long work: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from headcount.cli.output import errors, note
from headcount.load.progress import Step

_PLAIN_SECONDS = 5.0  # between lines of progress where there is no terminal


@contextmanager
def shown_progress() -> Iterator[
    tuple[Callable[[Step], None], Callable[[], AbstractContextManager[None]]]
]:
    """
    Yield a function that shows progress, and one that enters a pause from it.

    A bar on a terminal, elsewhere a line now and then.
    """
    if not errors.is_terminal:
        last = time.monotonic()

        def line(step: Step) -> None:
            nonlocal last
            if time.monotonic() - last >= _PLAIN_SECONDS:
                last = time.monotonic()
                note(f"{step.stage}: {step.rows:,} rows, {_share(step):.0%}")

        yield line, nullcontext
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors) as bars:
        tasks: dict[str, TaskID] = {}

        def bar(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bars.add_task(step.stage, total=step.total, rows=0)
            bars.update(tasks[step.stage], completed=step.done, total=step.total, rows=step.rows)

        @contextmanager
        def paused() -> Iterator[None]:
            bars.stop()
            yield
            bars.start()

        yield bar, paused


def _share(step: Step) -> float:
    return min(1.0, step.done / step.total) if step.total else 1.0
