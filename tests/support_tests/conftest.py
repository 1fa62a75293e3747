"""Who answers the tables of docs/language.md: the oracle, and the engine beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from headcount.query.engine import Engine
from support import asking
from support.engines import context_at, members_of, view_of
from support.worlds import World

Ask = Callable[..., str]


@lru_cache(maxsize=32)
def engine_over(world: World) -> Engine:
    """Return the engine over a world, in blocks of 4 contacts."""
    return Engine(view_of(world, 4))


def ask_engine(world: World, text: str, as_of: str = "2026-05-09T12:00", zone: str = "UTC") -> str:
    """Return the members as `asking.ask` does, but from the engine."""
    context = context_at(asking.instant(as_of), zone)
    return " ".join(members_of(engine_over(world), text, context))


@pytest.fixture(params=[asking.ask, ask_engine], ids=["oracle", "engine"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Return a function from a world and the text of a segment to its members."""
    answer: Ask = request.param
    return answer
