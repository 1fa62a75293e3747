"""Sums by group against `math.fsum`: exact, rounded once, in any order."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.query import sums
from headcount.query.sums import grouped_sum

money = st.integers(-10_000_000, 10_000_000).map(lambda cents: cents / 100)
wide = st.floats(-1e12, 1e12)
wild = st.floats(allow_nan=False, allow_infinity=False)


def expected(groups: list[int], values: list[float], size: int) -> list[float]:
    """Return the sums one group at a time; NaN where no double can hold it."""
    found = []
    for group in range(size):
        held = [v for g, v in zip(groups, values, strict=True) if g == group]
        try:
            found.append(math.fsum(held))
        except OverflowError:
            found.append(math.nan)
    return found


@given(
    data=st.one_of(
        *(
            st.lists(st.tuples(st.integers(0, 4), values), max_size=60)
            for values in (money, wide, wild, st.sampled_from([0.0, -0.0, 1e300, -1e300, 1e-300]))
        )
    )
)
@settings(max_examples=500)
def test_grouped_sum_is_fsum(data: list[tuple[int, float]]) -> None:
    """Every group's sum is the true sum of its doubles, rounded once."""
    groups, values = [g for g, _ in data], [v for _, v in data]
    found = grouped_sum(np.array(groups, dtype=np.uint32), np.array(values), 5)
    np.testing.assert_array_equal(found, expected(groups, values, 5))


def test_money_needs_no_slow_path(monkeypatch: object) -> None:
    """A million amounts in cents, 200 a contact, are summed by numpy alone."""
    rng = np.random.default_rng(5)
    values = np.round(rng.lognormal(3, 2, 100_000), 2)
    groups = rng.integers(0, 500, len(values)).astype(np.uint32)

    def refuse(*_: object) -> None:
        raise AssertionError("money went through the slow path")

    monkeypatch.setattr(sums, "_one_by_one", refuse)  # type: ignore[attr-defined]
    found = grouped_sum(groups, values, 500)
    assert found[7] == math.fsum(values[groups == 7].tolist())
