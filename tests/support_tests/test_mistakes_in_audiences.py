"""Broken oracles that send to somebody who must not be sent to: each is seen."""

from __future__ import annotations

from functools import cache

import pytest

from support.audiences import Sending, differences, resolved, sendings
from support.broken import Mistake, broken_oracle

COUNT = 200

MISTAKES: list[Mistake] = [
    ("excluded contacts are kept", "oracle_audience",
     "if any(oracle.holds(query, contact, one) for one in wanted.exclude):", "if False:"),
    ("only the first segment is included", "oracle_audience",
     "for one in wanted.include):\n            found",
     "for one in wanted.include[:1]):\n            found"),
    ("contacts without a status are active", "oracle_audience",
     'if status not in ("Active", "Hard Bounce"):',
     'if status not in ("Active", "Hard Bounce", None):'),
    ("a bounce is counted as not active", "oracle_audience",
     'if status not in ("Active", "Hard Bounce"):', 'if status != "Active":'),
    ("bounces are sent to", "oracle_audience", 'if status == "Hard Bounce":', "if False:"),
    ("the suppression list is not looked at", "oracle_audience",
     "if contact.id in wanted.suppressed:", "if False:"),
    ("opting out of the list is not looked at", "oracle_audience",
     'if oracle.is_listed(contact, "opted_out", lists_of(query.world, wanted)):', "if False:"),
    ("only the channel's opt-outs count", "oracle_audience",
     "return (*channel, *brought)", "return channel"),
    ("only the opt-outs of included lists count", "oracle_audience",
     "return (*channel, *brought)", "return tuple(brought)"),
    ("a list that is negated brings people in", "oracle_audience",
     "if kept != negated:", "if True:"),
    ("lists of saved segments bring nobody in", "oracle_audience",
     "yield from bringing(world, world.saved[name], kept != negated)", "pass"),
    ("suppressed before opted out", "oracle_audience",
     'if status not in ("Active", "Hard Bounce"):\n        return "not active"',
     'if status not in ("Active", "Hard Bounce"):\n        return "not active"\n'
     '    if contact.id in wanted.suppressed:\n        return "suppressed"'),
]  # fmt: skip


@cache
def cases() -> list[Sending]:
    """Return some audiences, made once."""
    return list(sendings(3, COUNT))


@pytest.mark.parametrize("mistake", MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_seen(mistake: Mistake) -> None:
    """An engine that made it would differ from the oracle in one of 200 audiences."""
    broken = broken_oracle(mistake, "oracle_audience")
    assert any(
        differences(resolved(one), broken.funnel(one.world, one.wanted, one.as_of, one.zone))
        for one in cases()
    )


def test_without_a_mistake_nothing_is_seen() -> None:
    """The same comparison finds nothing wrong with the oracle as it is."""
    assert not any(differences(resolved(one), one.expected()) for one in cases())
