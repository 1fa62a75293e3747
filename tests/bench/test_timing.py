"""Turns are shared out fairly, and figures are of warm calls."""

from __future__ import annotations

from collections.abc import Callable

from bench.timing import Budget, side_by_side


class Clock:
    """A clock that moves when a call says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order: list[str] = []

    def __call__(self) -> float:
        return self.now

    def taking(self, name: str, *seconds: float) -> Callable[[], None]:
        """Return a call that takes *seconds* in turn, the last for ever."""
        left = list(seconds)

        def call() -> None:
            self.order.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return call


def test_every_engine_gets_its_share() -> None:
    """A fast engine makes all its calls, a slow one stops at its seconds but makes the least."""
    clock = Clock()
    calls = {"fast": clock.taking("fast", 0.001), "slow": clock.taking("slow", 10.0)}
    budgets = {"fast": Budget(1.0, 200, 3), "slow": Budget(1.0, 200, 3)}
    found = side_by_side(calls, budgets, {"fast": 5.0, "slow": 7.0}, clock)
    assert found["fast"].rounds == 200
    assert found["slow"].rounds == 3
    assert (found["slow"].first, round(found["slow"].median, 6)) == (7.0, 10.0)


def test_turns_of_the_slow_are_spread_over_those_of_the_fast() -> None:
    """No engine has made half of its calls before another has made a quarter of its own."""
    clock = Clock()
    calls = {name: clock.taking(name, took) for name, took in (("a", 0.001), ("b", 0.01))}
    side_by_side(calls, dict.fromkeys(calls, Budget(1.0, 100, 3)), {"a": 0.0, "b": 0.0}, clock)
    half = clock.order.index("a", len(clock.order) // 2)
    assert 0.25 < clock.order[:half].count("b") / clock.order.count("b") < 0.75


def test_the_99th_percentile_is_a_slow_call() -> None:
    """One slow call of ten is the p99, and does not move the median."""
    clock = Clock()
    calls = {"one": clock.taking("one", 9.0, 1.0)}
    found = side_by_side(calls, {"one": Budget(100.0, 10, 3)}, {"one": 1.0}, clock)
    assert (found["one"].median, found["one"].p99) == (1.0, 9.0)
