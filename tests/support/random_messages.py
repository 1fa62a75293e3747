"""
Random protobuf messages of any type, made from their descriptors, and ways to damage their bytes.

The words are those of the small workspace, so that many messages get past the names; numbers and
enum values are anything that the wire can carry.
"""

from __future__ import annotations

import math
import random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

WORDS = (
    "", "plan", "PLAN", "city", "spent", "vip", "birthday", "seen_at", "interests", "stage",
    "label", "id", "status", "created_at", "last_open", "Pro", "Free", "Active", "beta", "news",
    "new", "chess", "open", "opened", "purchase", "engaged", "list_joined", "amount", "list",
    "month", "anniversary", "abs", "round", "coalesce", "length", "current_month", "everyone",
    "UTC", "Europe/Berlin", "Europe", "default", "2026-02-30", "2026-05-09", "%", "(", "x" * 300,
    "2026-05-09T12:00:00Z", "\x00", "é\u0301", "plan = Pro", "plan =", "-- nothing",
    "spent > 3 and (vip = true or opened in last 3 days)", "{", "[[[[", "null", '{"all": []}',
    '{"field": "plan", "operator": "equals", "value": "Pro"}', '{"list": "news"}',
    '{"not": {"event": "open", "window": {"last": "3 days"}}}', '{"field": 3, "value": 1e999}',
)  # fmt: skip
INTEGERS = (
    0, 1, 2, 3, 7, 15, 16, 17, 64, 1000, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, -1, -(2**31),
)  # fmt: skip
DOUBLES = (
    0.0,
    -0.0,
    1.0,
    0.5,
    -3.0,
    1e-320,
    1e308,
    2.0**53,
    2.0**64,
    math.inf,
    -math.inf,
    math.nan,
)
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}


def random_message(descriptor: Descriptor, dice: random.Random, depth: int = 6) -> Message:
    """Return a message with some of its fields set, nested up to *depth*."""
    message = GetMessageClass(descriptor)()
    chosen = {
        field.name: field
        for oneof in descriptor.oneofs
        for field in [dice.choice(oneof.fields)]
        if dice.random() < 0.95
    }
    for field in descriptor.fields:
        if field.containing_oneof is None and dice.random() < _share(descriptor, field):
            chosen[field.name] = field
    for field in chosen.values():
        _set(message, field, dice, depth)
    return message


def _share(descriptor: Descriptor, field: FieldDescriptor) -> float:
    """Return how often a field is set, so that many messages are complete."""
    if field.message_type is descriptor:
        return 0.3
    return 0.6 if field.message_type is None else 0.95


def _set(message: Any, field: FieldDescriptor, dice: random.Random, depth: int) -> None:
    repeated = hasattr(getattr(message, field.name), "extend")
    if field.message_type is not None:
        if depth == 0:
            return
        if field.message_type.GetOptions().map_entry:
            value_type = field.message_type.fields_by_name["value"].message_type
            for _ in range(dice.randrange(4)):
                held = random_message(value_type, dice, depth - 1)
                getattr(message, field.name)[dice.choice(WORDS)].CopyFrom(held)
            return
        for _ in range(dice.randrange(4) if repeated else 1):
            made = random_message(field.message_type, dice, depth - 1)
            if repeated:
                getattr(message, field.name).append(made)
            else:
                getattr(message, field.name).CopyFrom(made)
    elif repeated:
        getattr(message, field.name).extend(_scalar(field, dice) for _ in range(dice.randrange(4)))
    else:
        setattr(message, field.name, _scalar(field, dice))


def _scalar(field: FieldDescriptor, dice: random.Random) -> object:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        if field.type == FieldDescriptor.TYPE_BYTES:
            return dice.randbytes(dice.randrange(20))
        return dice.choice(WORDS)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return dice.random() < 0.5
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return dice.choice(DOUBLES)
    if field.enum_type is not None and dice.random() < 0.9:
        return dice.choice(field.enum_type.values).number
    low, high = _RANGES[field.cpp_type]
    return min(max(dice.choice(INTEGERS), low), high)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """Return *data* with a few bytes changed, cut out or put in."""
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        place = dice.randrange(len(changed) + 1)
        match dice.randrange(4):
            case 0:
                changed[place:place] = dice.randbytes(dice.randrange(1, 5))
            case 1:
                del changed[place : place + dice.randrange(1, 5)]
            case 2:
                del changed[place:]
            case _ if place < len(changed):
                changed[place] = dice.randrange(256)
    return bytes(changed)
