"""
Batches: what every file format is read as. A run of rows, by column, that know their place.

    Batch
    ├── columns    the name a kind of file gives the column → the values, one a row
    ├── lines      where each row stands: line of a text file, row number of others, from 1
    ├── absent     rows that lack a column which other rows have (JSON only)
    └── broken     rows that could not be taken apart: wrong number of cells, not JSON

A format's reader yields batches, in order, and raises `UserError(INVALID_FILE)` for a file that
cannot be read on. It knows the columns' names, through `Columns`, and nothing of what they mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headcount.load.coerce import Column
from headcount.model.errors import Reason, UserError
from headcount.model.schema import nearest

Lines = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that is not one: its line, its text and what is wrong."""

    line: int
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Some rows of a file.

    `typed` columns have the file's type, the same in every batch; of others (JSON) each batch has
    the type that its values happen to have.
    """

    columns: Mapping[str, Column]
    lines: Lines
    broken: Sequence[Broken] = ()
    absent: Mapping[str, Mask] = field(default_factory=dict)
    typed: bool = True

    @property
    def rows(self) -> int:
        """How many rows there are, the broken ones left out."""
        return len(self.lines)

    def with_column(self, name: str, column: Column) -> Batch:
        """Return the batch with one more column."""
        return dataclasses.replace(self, columns={**self.columns, name: column})


@dataclass(frozen=True)
class Columns:
    """
    The columns that a kind of file may have.

    `names` maps each accepted spelling, folded, to the column's name here; several may mean the
    same column. `required` are names here. With `open_ended` unknown columns keep their own name,
    to be inferred; otherwise they are an error.
    """

    kind: str  # contacts, events or lists
    names: Mapping[str, str]
    required: Sequence[str]
    spellings: Sequence[str]  # of all columns, for suggestions
    open_ended: bool = False

    def place(self, found: Sequence[str], path: Path) -> dict[str, str]:
        """
        Return the name here of each column *found* in the header of *path*.

        Raises:
            UserError: a column is unknown, unnamed, there twice, or a required one is missing.
        """
        placed = {name: here for name in found if (here := self.name(name)) is not None}
        unnamed = [str(at) for at, name in enumerate(found, 1) if not name.strip()]
        if unnamed:
            raise UserError(
                Reason.INVALID_FILE,
                f"{path.name}: column {', '.join(unnamed)} has no name; name it or remove it",
            )
        unknown = [name for name in found if name not in placed]
        if unknown:
            raise self.unknown(unknown, path.name)
        self._not_twice(found, placed, path)
        missing = [name for name in self.required if name not in placed.values()]
        if missing:
            raise UserError(
                Reason.INVALID_FILE,
                f"{path.name}: no column {_listed(self._spelled(missing))}; its columns are"
                f" {_listed(found)}" + self._hint(missing),
            )
        return placed

    def name(self, found: str) -> str | None:
        """Return the name here of a column called *found*, or None if it is unknown."""
        here = self.names.get(found.strip().casefold())
        return found.strip() if here is None and self.open_ended else here

    def unknown(self, names: Sequence[str], place: str) -> UserError:
        """Return the error for columns that are not in the schema."""
        single = len(names) == 1
        return UserError(
            Reason.UNKNOWN_NAME,
            f"{place}: column{'' if single else 's'} {_listed(names)}"
            f" {'is' if single else 'are'} not in the schema; add {'it' if single else 'them'}"
            " there, or load with --infer",
            field=place,
            suggestions=nearest(names[0], self.spellings) if single else (),
        )

    def _not_twice(self, found: Sequence[str], placed: Mapping[str, str], path: Path) -> None:
        seen: dict[str, str] = {}
        for name in found:
            if placed[name] in seen:
                raise UserError(
                    Reason.INVALID_FILE,
                    f"{path.name}: columns `{seen[placed[name]]}` and `{name}` are the same;"
                    " keep one",
                )
            seen[placed[name]] = name

    def _spelled(self, missing: Sequence[str]) -> list[str]:
        """Return how a file would spell the columns *missing*."""
        return [
            next(s for s in self.spellings if self.names[s.casefold()] == name) for name in missing
        ]

    def _hint(self, missing: Sequence[str]) -> str:
        if self.kind == "contacts" and "id" in missing:
            return '; name the id column in the schema, for example: id = "contact_id"'
        return ""


def _listed(names: Sequence[str], limit: int = 30) -> str:
    listed = ", ".join(f"`{name}`" for name in names[:limit])
    return listed + (f" and {len(names) - limit} more" if len(names) > limit else "")
