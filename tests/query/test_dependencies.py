"""Orders and circles of named things that use each other."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.query.dependencies import CircularError, in_order, shown

graphs = st.dictionaries(
    st.sampled_from("abcdefg"), st.lists(st.sampled_from("abcdefgxy"), max_size=3), max_size=7
)


def reaches_itself(uses: dict[str, list[str]], name: str) -> bool:
    """Return whether *name* uses itself, over any number of steps."""
    seen: set[str] = set()
    todo = list(uses.get(name, ()))
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo += uses.get(at, ())
    return name in seen


@given(graphs)
def test_everything_comes_after_what_it_uses(uses: dict[str, list[str]]) -> None:
    """There is an order exactly when nothing uses itself; otherwise the path is a real circle."""
    circular = {name for name in uses if reaches_itself(uses, name)}
    if circular:
        with pytest.raises(CircularError) as caught:
            in_order(uses)
        path = caught.value.path
        assert path[0] == path[-1]
        assert len(set(path)) == len(path) - 1
        assert all(b in uses[a] for a, b in pairwise(path))
        assert min([*uses].index(name) for name in path) == [*uses].index(path[0])
        assert set(path) <= circular
    else:
        order = in_order(uses)
        assert sorted(order) == sorted({*uses, *(n for used in uses.values() for n in used)})
        assert all(order.index(b) < order.index(a) for a, used in uses.items() for b in used)


def test_a_long_chain_needs_no_recursion() -> None:
    """A hundred thousand in a row are put in order."""
    chain = {str(n): [str(n + 1)] for n in range(100_000)}
    assert in_order(chain)[0] == "100000"


def test_a_circle_reads_from_user_to_used() -> None:
    """The path begins with what comes first, and each entry uses the next."""
    with pytest.raises(CircularError) as caught:
        in_order({"x": ["b"], "a": ["b"], "b": ["c"], "c": ["a"]})
    assert caught.value.path == ("a", "b", "c", "a")
    assert str(caught.value) == shown(caught.value.path) == "`a` → `b` → `c` → `a`"
