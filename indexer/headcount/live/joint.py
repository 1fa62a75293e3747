"""
Joint steps: what many requests write to contacts' fields, put together as one step.

A step costs about the same for one contact as for a hundred, in the draft, in the log and in the
columns. Sixteen clients that write a contact each are sixteen steps of one commit; as one step that
takes a fifth less CPU. Only what makes contacts where they are missing is put together: of that
nothing is refused, so no answer needs to know whose row a step's row was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from headcount.model.changes import Changes, ContactStep, FieldUpdate, Places


def step_to_join(changes: Changes) -> ContactStep | None:
    """Return the one step that *changes* are, if it can be put together with others."""
    if len(changes.steps) != 1:
        return None
    step = changes.steps[0]
    if not isinstance(step, ContactStep) or not step.creates:
        return None
    return None if len(step.labels.at) or len(step.lists.at) else step


def joined(steps: Sequence[ContactStep]) -> ContactStep:
    """Return one step that does what *steps* do one after the other; see `step_to_join`."""
    if len(steps) == 1:
        return steps[0]
    updates: dict[str, tuple[list[Places], list[pa.Array]]] = {}
    start = 0
    for step in steps:
        for name, update in step.fields.items():
            places, values = updates.setdefault(name, ([], []))
            places.append(update.at + np.uint32(start))
            values.append(update.values)
        start += len(step.ids)
    return ContactStep(
        numbers=np.concatenate([step.numbers for step in steps]),
        ids=pa.concat_arrays([step.ids for step in steps]),
        creates=True,
        fields={
            name: FieldUpdate(np.concatenate(places), pa.concat_arrays(values))
            for name, (places, values) in updates.items()
        },
    )
