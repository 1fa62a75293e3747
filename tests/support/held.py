"""What contacts have for a value of the language, by the oracle; and random values to ask for."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from headcount.query import tree
from support import oracle
from support.compare import Case
from support.dice import Dice
from support.oracle_values import Query, SpokenInstant, Text, TextSet, Value
from support.random_segments import FEATURES, Writer
from support.strategies import random_case, random_place

Plain = str | float | bool | dt.date | dt.datetime


def grouped_cases(seed: int, count: int) -> Iterator[tuple[Case, tree.Value]]:
    """Yield *count* cases, each with a value by which contacts can be told apart, mostly."""
    for start in range(0, count, 10):
        dice = Dice(seed * 1_000_003 + start)
        world, scene = random_place(dice, dice.pick((20, 40, 7, 60, 0)))
        for _ in range(min(10, count - start)):
            case = random_case(dice, world, scene)
            if dice.chance(50):
                case = dataclasses.replace(case, segment=tree.Everyone())
            yield case, Writer(dice, world, scene, FEATURES).operand().node


class Held:
    """What each contact of a case's world has for *value*; None for nothing."""

    def __init__(self, case: Case, value: tree.Value) -> None:
        query = Query(case.world, case.as_of, ZoneInfo(case.zone))
        contacts = oracle.contacts_of(case.world)
        self.by_contact = {c.id: oracle.value(query, c, value) for c in contacts}

    def texts(self, contact: str) -> list[Text]:
        """Return the texts that a contact has."""
        held = self.by_contact[contact]
        if isinstance(held, TextSet):
            return list(held.texts)
        return [held] if isinstance(held, Text) else []

    def plain(self, contact: str) -> Plain | None:
        """Return the number, day, instant or flag that a contact has; instants in UTC."""
        return plain(self.by_contact[contact])

    def is_missing(self, contact: str) -> bool:
        """Return whether a contact has nothing."""
        return self.by_contact[contact] is None

    def counts(self, contacts: Iterable[str]) -> Counter[str] | Counter[Plain]:
        """Return how many of *contacts* have each value; of texts, each key."""
        found: Counter[Plain] = Counter()
        for contact in contacts:
            keys: set[Plain] = {text.key for text in self.texts(contact)}
            held = self.plain(contact)
            found.update(keys if keys or held is None else {held})
        return found

    def spellings(self, contacts: Iterable[str]) -> dict[str, str]:
        """Return for each key the spelling that most of *contacts* have, of equals the first."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for contact in contacts:
            for key, value in {(text.key, text.value) for text in self.texts(contact)}:
                found[key][value] += 1
        return {key: min(of, key=lambda text: (-of[text], text)) for key, of in found.items()}


def plain(value: Value) -> Plain | None:
    """Return a value of the oracle as plain Python; None for a text, and for nothing."""
    if isinstance(value, SpokenInstant):
        return value.instant
    if isinstance(value, Text | TextSet | str | tree.Duration) or value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value
