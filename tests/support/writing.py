"""What the tests of writes share: a schema with every type, and changes as plain values."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa

from headcount.model import schema_toml
from headcount.model.changes import Changes

SCHEMA = schema_toml.parse("""
id = "contact_id"
time_zone = "Europe/Berlin"
[fields]
country = "keyword"
email = "text"
spent = "number"
vip = "boolean"
birthday = "date"
seen_at = "datetime"
interests = "keywords"
plan = { type = "keyword", case = "sensitive" }
[events.open]
alias = ["opened"]
properties = { campaign = "keyword" }
[events.purchase]
properties = { amount = "number", category = "keyword", gift = "boolean", sent_at = "datetime" }
[event_groups]
engaged = ["open", "purchase"]
""")
NOW = 1_780_000_000_000_000

TEXTS = (
    "", "a", "Ä", " DE ", "12", "1e3", "x" * 70_000, "\u00a0", "true", "2026-02-30", "2026-05-09",
    "2026-05-09T12:00:00Z", "2026-03-29T02:30:00", "NaN", "a;b;;a", "Active", "LEAD", "\x00",
)  # fmt: skip
NUMBERS = (0, 1, -1, 12.5, 10**15, 2**53, 1_700_000_000, 1_700_000_000_000, 0.1)
IDS = ("c1", "c2", "c3", "C1", "ü", "", " x", "y" * 257, "z" * 256, "a\tb")
OPS = ("upsert", "upsert", "patch", "record", "record", "delete", "merge", "suppress", "unsuppress")
FIELDS = (*SCHEMA.all_fields, "COUNTRY", "Vip", "contry", "list", "contact_id")
TYPES = ("open", "Opened", "purchase", "purchse", "engaged", "", "list_joined")
PROPERTIES = ("campaign", "amount", "Amount", "category", "gift", "sent_at", "colour")


def value(dice: random.Random) -> Any:
    """Return a value that JSON and protobuf can both say."""
    match dice.randrange(6):
        case 0:
            return None
        case 1:
            return dice.random() < 0.5
        case 2:
            return dice.choice(NUMBERS)
        case 3:
            return [dice.choice(TEXTS) for _ in range(dice.randrange(4))]
        case _:
            return dice.choice(TEXTS)


def mutation(dice: random.Random) -> dict[str, Any]:
    """Return a mutation as the JSON object of a line, of few contacts, so that they clash."""
    op = dice.choice(OPS)
    contact = dice.choice(IDS[: dice.choice((3, len(IDS)))])
    match op:
        case "upsert" | "patch":
            names = dice.sample(FIELDS, dice.randrange(4))
            found: dict[str, Any] = {"id": contact, "fields": {n: value(dice) for n in names}}
            for part in ("add_labels", "remove_labels"):
                if dice.random() < 0.3:
                    found[part] = [dice.choice(TEXTS) for _ in range(dice.randrange(3))]
            if dice.random() < 0.3:
                found["lists"] = [_list(dice) for _ in range(dice.randrange(3))]
        case "record":
            names = dice.sample(PROPERTIES, dice.randrange(4))
            found = {
                "contact": contact,
                "type": dice.choice(TYPES),
                "time": dice.choice((None, "2026-05-09T12:00:00Z", "2026-05-09T12:00:00.25Z")),
                "id": dice.choice(IDS),
                "properties": {n: value(dice) for n in names},
                "create_contact": dice.random() < 0.5,
            }
        case "delete":
            found = {"id": contact, "erase": dice.random() < 0.5}
        case "merge":
            found = {"source": contact, "target": dice.choice(IDS[:4])}
        case _:
            found = {"id": contact}
    return {"op": op, **found}


def _list(dice: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "list": dice.choice(("news", " news ", "", "n" * 201, "offers")),
        "action": dice.choice(("join", "leave", "opt_out", "opt_in", "juggle")),
    }
    if dice.random() < 0.5:
        found["time"] = "2026-05-09T12:00:00Z"
    return found


def plain(held: object) -> Any:
    """Return changes without numpy and Arrow, so that two can be compared."""
    if isinstance(held, np.ndarray):
        return held.tolist()
    if isinstance(held, pa.Array):
        return str(held.type), held.to_pylist()
    if isinstance(held, pa.Table):
        return {name: plain(held.column(name).combine_chunks()) for name in held.column_names}
    if isinstance(held, dict):
        return {key: plain(each) for key, each in held.items()}
    if isinstance(held, Changes):
        return [(type(step).__name__, plain(step)) for step in held.steps]
    if hasattr(held, "__slots__"):
        return {name: plain(getattr(held, name)) for name in held.__slots__}
    return held
