"""
Random schemas and worlds, full of edges.

Uniform random data hardly ever falls on a boundary, where the mistakes are. So a `Scene` (an
instant, a time zone, a handful of durations) works out the instants and days that the rules of time
turn on, and the times in a world are mostly these, one microsecond to either side included.
Strings, numbers and ids are a few of many troublesome ones, so that contacts share values.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headcount.model.schema import (
    LIST_EVENTS,
    LIST_JOINED,
    LIST_OPTED_OUT,
    EventType,
    Field,
    FieldType,
    Schema,
)
from headcount.query.tree import Duration, Period, Unit
from support.dice import Choices, some
from support.oracle_time import (
    DAY,
    MICROSECOND,
    calendar_period,
    day_of,
    instant_of,
    is_clock_duration,
    start_of_day,
    step,
    step_day,
    times,
)
from support.worlds import Event, World


def utc(text: str) -> dt.datetime:
    """Return the instant that an ISO 8601 text without an offset names in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


# Instants at which something about the calendar is odd, each with the zones where it is.
MOMENTS = [
    (utc(text), zones)
    for text, zones in (
        ("2026-05-09T12:00:00", ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")),
        ("2024-05-31T10:15:30.123456", ("UTC", "Asia/Kolkata", "Pacific/Apia")),
        ("2024-02-29T12:00:00", ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia")),
        ("2024-02-29T00:00:00", ("UTC", "America/New_York")),
        ("2023-02-28T23:59:59.999999", ("UTC", "Europe/Berlin")),
        ("2023-03-01T00:00:00", ("UTC", "America/New_York")),
        ("2024-12-31T23:30:00", ("UTC", "Europe/Berlin", "Pacific/Apia")),  # 2025 in Berlin
        ("2025-01-01T00:00:00", ("UTC", "America/New_York", "Asia/Kolkata")),
        ("2023-05-30T22:00:00", ("Europe/Berlin",)),  # midnight, the 31st
        ("2024-03-31T00:59:59.999999", ("Europe/Berlin",)),  # clocks go forward
        ("2024-03-31T01:00:00", ("Europe/Berlin",)),
        ("2024-10-27T00:30:00", ("Europe/Berlin",)),  # 02:30, the first time
        ("2024-10-27T01:30:00", ("Europe/Berlin",)),  # 02:30, the second time
        ("2024-03-10T07:00:00", ("America/New_York",)),
        ("2024-11-03T05:30:00", ("America/New_York",)),
        ("2024-11-03T06:30:00", ("America/New_York",)),
        ("2011-12-30T09:59:59.999999", ("Pacific/Apia",)),  # there was no 30 December in Apia
        ("2011-12-30T10:00:00", ("Pacific/Apia",)),
        ("2012-01-02T12:00:00", ("Pacific/Apia",)),
        ("2024-04-10T22:15:00", ("Europe/Berlin",)),  # 30 days ago it was 23:15 the day before
        ("2024-11-20T04:30:00", ("America/New_York",)),  # 30 days ago it was 00:30 the day after
        ("2024-03-25T04:15:00", ("America/New_York",)),  # 30 days ago, 23:15 the day before
        ("2024-11-10T22:30:00", ("Europe/Berlin",)),  # 30 days ago it was 00:30 the day after
        ("2023-04-05T22:30:00", ("Europe/Berlin",)),
        ("2023-11-25T04:15:00", ("America/New_York",)),
        ("1919-03-31T16:00:00", ("America/Toronto",)),  # the day began at 00:30
        ("1919-04-01T03:00:00", ("America/Toronto",)),
        ("2018-11-04T03:00:00", ("America/Sao_Paulo",)),  # midnight was skipped
        ("2018-11-10T12:00:00", ("America/Sao_Paulo",)),
        ("2018-02-18T01:30:00", ("America/Sao_Paulo",)),  # 23:30, the first time
        ("2024-04-06T15:15:00", ("Australia/Lord_Howe",)),  # half an hour back
        ("2006-10-29T02:30:00", ("America/St_Johns",)),  # midnight came twice: back at 00:01
    )
]

DURATIONS = tuple(
    Duration(amount, unit)
    for unit, amounts in (
        (Unit.DAY, (30, 7, 1, 14, 90, 365, 2, 0)),
        (Unit.MONTH, (1, 2, 6, 12)),
        (Unit.HOUR, (24, 1, 48, 36)),
        (Unit.WEEK, (1, 2, 4)),
        (Unit.YEAR, (1, 4)),
        (Unit.QUARTER, (1, 2)),
        (Unit.MINUTE, (30, 1, 90)),
    )
    for amount in amounts
)


LEAP_DAYS = (dt.date(2024, 2, 29), dt.date(2000, 2, 29), dt.date(1960, 2, 29))
FAR_DAYS = (*LEAP_DAYS, dt.date(2023, 3, 1), dt.date(1900, 1, 1), dt.date(2099, 12, 31))


@dataclass(frozen=True, slots=True)
class Scene:
    """
    When and where a world is asked, and the few values that it and its segments mostly use.

    Few, so that values and constants meet: two edges of the same window, two spellings of a name.
    """

    as_of: dt.datetime
    zone: ZoneInfo
    durations: Sequence[Duration]
    periods: Sequence[Period]
    instants: Sequence[dt.datetime]
    days: Sequence[dt.date]
    strings: Sequence[str]
    numbers: Sequence[float]

    @property
    def today(self) -> dt.date:
        """Return the calendar day of `as_of`."""
        return day_of(self.as_of, self.zone)


def random_scene(dice: Choices) -> Scene:
    """Return an instant, mostly an odd one, and the edges that a few durations make there."""
    as_of, zones = dice.pick(MOMENTS)
    if dice.chance(10):
        as_of += dt.timedelta(microseconds=dice.integer(-(10**14), 10**14))  # three years
    zone = ZoneInfo(dice.pick(zones))
    durations = some(dice, DURATIONS, 2, 4)
    periods = some(dice, tuple(Period), 1, 2)
    today = day_of(as_of, zone)
    days = edge_days(today, durations, periods)
    instants = edge_instants(as_of, zone, durations, periods)
    midnights = [start_of_day(today + i * DAY, zone) for i in (0, 1)]
    families = some(dice, FAMILIES, 2, 3)
    return Scene(
        as_of,
        zone,
        durations,
        periods,
        [*midnights, as_of, *some(dice, instants, 8, 12)],
        [today, *some(dice, days, 6, 10), dice.pick(LEAP_DAYS)],
        [string for family in families for string in family],
        [0.0, *some(dice, NUMBERS, 5, 8)],
    )


def edge_days(
    today: dt.date, durations: Sequence[Duration], periods: Sequence[Period]
) -> list[dt.date]:
    """Return the days that conditions turn on, and those beside them."""
    centres = {today}
    for duration in durations:
        if not is_clock_duration(duration):
            centres |= {step_day(today, duration, -1), step_day(today, duration, 1)}
    for period in periods:
        centres |= set(calendar_period(period, today))
    return sorted({c + i * DAY for c in centres for i in (-1, 0, 1)})


def edge_instants(
    as_of: dt.datetime, zone: ZoneInfo, durations: Sequence[Duration], periods: Sequence[Period]
) -> list[dt.datetime]:
    """Return the instants that conditions turn on, and those 1 us beside them."""
    today = day_of(as_of, zone)
    centres = {as_of, *(start_of_day(today + i * DAY, zone) for i in (0, 1))}
    for duration in durations:
        centres |= {step(as_of, duration, -1, zone), step(as_of, duration, 1, zone)}
        centres |= {step(as_of, times(duration, n), -1, zone) for n in (2, 3)}
        if not is_clock_duration(duration):
            centres.add(start_of_day(step_day(today, duration, -1), zone))
    for period in periods:
        centres |= {start_of_day(day, zone) for day in calendar_period(period, today)}
    return sorted({c + i * MICROSECOND for c in centres for i in (-1, 0, 1)})


# --- schemas ----------------------------------------------------------------------------------

FIELD_NAMES: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.KEYWORD: ("plan", "country", "job title", "Größe"),
    FieldType.TEXT: ("city", "email", "Notes"),
    FieldType.NUMBER: ("spent", "orders", "Score", "purchase"),  # `purchase` is an event too
    FieldType.BOOLEAN: ("vip", "order"),
    FieldType.DATE: ("birthday", "signup"),
    FieldType.DATETIME: ("seen_at", "expires", "last_open"),  # in the place of the built-in one
    FieldType.KEYWORDS: ("interests", "tags"),
    FieldType.STAGE: ("tier",),
}
TIERS = ("Bronze", "silver", "GOLD", "Größte")

PROPERTY_NAMES: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.KEYWORD: ("campaign", "category"),
    FieldType.TEXT: ("url",),
    FieldType.NUMBER: ("amount", "items"),
    FieldType.BOOLEAN: ("mobile",),
    FieldType.DATE: ("due",),
    FieldType.DATETIME: ("shipped at",),
}

EVENT_NAMES = (
    ("email_open", ("opened", "Opens")),
    ("purchase", ("bought",)),
    ("email_click", ("clicked",)),
    ("sent", ()),
    ("page view", ("visited",)),
    ("Email_Send", ()),
)

LIST_NAMES = ("news", "VIP Customers", "Größe")
LABELS = ("vip", "Newsletter", "campaign-q1", "straße")


def random_schema(dice: Choices) -> Schema:
    """Return a schema with some fields of some types, some events, and sometimes a group."""
    fields = {}
    for type_, names in FIELD_NAMES.items():
        for name in some(dice, names, 0, 2):
            fields[name] = random_field(dice, name, type_)
    if dice.chance(20):
        fields["stage"] = Field("stage", FieldType.STAGE, values=("one", "Two", "three"))
    events = {}
    for name, aliases in some(dice, EVENT_NAMES, 1, 4):
        properties = tuple(
            random_field(dice, property_, type_)
            for type_, names in PROPERTY_NAMES.items()
            for property_ in some(dice, names, 0, 1)
        )
        events[name] = EventType(name, aliases, properties)
    groups = {}
    if dice.chance(50):
        members = some(dice, list(events), 1, 3)
        groups["engaged"] = tuple(m.upper() if dice.chance(20) else m for m in members)
    return Schema(
        id_column=dice.pick(("id", "contact_id")),
        fields=fields,
        events=events,
        groups=groups,
        labels=tuple(some(dice, LABELS, 0, 2)),
        lists=tuple(some(dice, LIST_NAMES, 0, 2)),
    )


def random_field(dice: Choices, name: str, type_: FieldType) -> Field:
    """Return a field or property with random options."""
    if type_ is FieldType.STAGE:
        return Field(name, type_, values=TIERS)
    if type_.is_string or type_ is FieldType.KEYWORDS:
        return Field(name, type_, case_sensitive=dice.chance(25), fold_accents=dice.chance(35))
    return Field(name, type_)


# --- values -----------------------------------------------------------------------------------

# Strings that fold, compose or match in ways of their own, beside those they may be taken for.
FAMILIES = (
    ("Pro", "Free", "pro", "PRO plan"),
    ("München", "Mu\u0308nchen", "Munchen", "MÜNCHEN", "x\u0301", "\u0301"),
    ("Straße", "STRASSE", "strasse", "STRAßE", "ﬁne", "fine"),
    ("İstanbul", "istanbul", "ISTANBUL", "i\u0307stanbul", "ıstanbul"),
    ("ΟΔΟΣ", "οδός", "οδος", "\u212b", "\u00c5", "A"),
    ("éclair", "e\u0301clair", "eclair", "clair"),
    ("a%b", "a_b", "aXb", "a\\b", "100%", "a\\%b"),
    ("(x)", "x", "a.b", "[a]", "a+b", "x@y.com", "Y.COM"),
    (" padded ", "padded", "it's", 'say "hi"', "back`tick", "tab\there", "two\nlines"),
    ("null", "true", "42", "042", "-", "0"),
    ("日本", "日", "कि", "क", "👍🏽", "👍"),
)
STRINGS = tuple(string for family in FAMILIES for string in family)

NUMBERS = (
    0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 100.0, 500.0, -1.0, -0.0, 0.5, 2.5, -2.5, 0.1, 0.2, 0.3, 19.99,
    0.30000000000000004, 1000.0, 123456.789, 2.0**53, 2.0**53 - 1, -(2.0**53), 1e15 + 0.5,
    4503599627370497.5, 0.0001, 30.0, 365.0,
)  # fmt: skip

EXACT = tuple(number for number in NUMBERS if (number * 4).is_integer() and abs(number) < 2**30)

IDS = (
    "{}", "c{:03}", "{:04}", "user-{}@example.com", "é{}", "e\u0301{}", "ID {}", "id {}", "日本{}",
    "0{}", "{}-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
)  # fmt: skip


def random_value(dice: Choices, scene: Scene, field: Field) -> object:
    """Return a value for *field*, or one of the ways of being missing."""
    if dice.chance(20):
        blank = "" if field.type.is_string else () if field.type is FieldType.KEYWORDS else None
        return dice.pick((None, blank))
    match field.type:
        case FieldType.STAGE:
            return dice.pick(field.values)
        case FieldType.KEYWORD | FieldType.TEXT:
            return dice.pick(field.values or scene.strings)
        case FieldType.NUMBER:  # the sum of amounts is the same in any order
            return dice.pick(EXACT if field.name == "amount" else scene.numbers)
        case FieldType.BOOLEAN:
            return dice.chance(50)
        case FieldType.DATE:
            return random_day(dice, scene)
        case FieldType.DATETIME:
            return random_instant(dice, scene)
        case FieldType.KEYWORDS:
            return tuple(some(dice, LABELS if field.name == "label" else scene.strings, 0, 3))


def random_day(dice: Choices, scene: Scene) -> dt.date:
    """Return a day: an edge, or one of the last and next few years, or far away."""
    if dice.chance(80):
        return dice.pick(scene.days)
    if dice.chance(70):
        return scene.today + dice.integer(-1500, 700) * DAY
    return dice.pick(FAR_DAYS)


def random_instant(dice: Choices, scene: Scene) -> dt.datetime:
    """Return an instant: an edge, or any microsecond of the last and next year, or far away."""
    if dice.chance(80):
        return dice.pick(scene.instants)
    if dice.chance(50):
        wall = dt.datetime.combine(dice.pick(scene.days), dt.time(dice.integer(0, 23), 30))
        return instant_of(wall, scene.zone)
    if dice.chance(90):
        return scene.as_of + dt.timedelta(microseconds=dice.integer(-3 * 10**13, 3 * 10**13))
    return dice.pick((utc("1969-12-31T23:59:59.999999"), utc("1900-01-01"), utc("2099-12-31")))


# --- worlds -----------------------------------------------------------------------------------


def random_world(
    dice: Choices,
    schema: Schema,
    scene: Scene,
    contacts: int,
    *,
    fewest: int | None = None,
    loadable: bool = False,
) -> World:
    """
    Return a world of so many contacts, or from *fewest* to so many.

    A *loadable* one can be written as files: see `World.is_loadable`.
    """
    stored = [f for f in schema.all_fields.values() if f.name != "id"]

    def person() -> tuple[str, dict[str, object], list[Event]]:
        """Return one contact: what its id is like, its values, and its events."""
        contact = random_contact(dice, scene, stored, loadable=loadable)
        events = list_history(dice, scene, contact) if loadable else []
        events += random_history(dice, scene, schema, loadable=loadable)
        return dice.pick(patterns), contact, events

    one = dice.pick(IDS)
    patterns = (one, one, dice.pick(IDS))
    people = dice.many(contacts if fewest is None else fewest, contacts, person)
    alike = ["é", "e\u0301", "42", "042"] if dice.chance(20) else []
    held: dict[str, Mapping[str, object]] = {}
    events: list[Event] = []
    for n, (pattern, contact, history) in enumerate(people):
        id_ = alike.pop() if alike else pattern.format(n)
        while id_ in held:
            id_ += "'"
        held[id_] = contact
        events += [dataclasses.replace(event, contact=id_) for event in history]
    return World(schema, held, shuffled(dice, events))


def random_contact(
    dice: Choices, scene: Scene, stored: Sequence[Field], *, loadable: bool
) -> dict[str, object]:
    """Return the values of one contact; some fields are not even there."""
    contact: dict[str, object] = {}
    for field in stored:
        if dice.chance(90):
            contact[field.name] = random_value(dice, scene, field)
    lists = some(dice, LIST_NAMES, 0, 2)
    contact["list"] = tuple(lists)
    if dice.chance(30):  # from a list that it is on, or was never on
        contact["opted_out"] = tuple(some(dice, lists if loadable else LIST_NAMES, 0, 1))
    return contact


def random_history(dice: Choices, scene: Scene, schema: Schema, *, loadable: bool) -> list[Event]:
    """Return some contact's events: none, a few or a dozen; times and ids may be the same."""
    types = list(schema.events.values())
    if not loadable:
        types += [e for e in schema.all_events.values() if e.builtin and dice.chance(50)]
    events: list[Event] = []
    most = dice.pick((0, 3, 6, 12))
    dice.many(0, most, lambda: events.append(random_event(dice, scene, dice.pick(types), events)))
    return events


def random_event(dice: Choices, scene: Scene, type_: EventType, before: Sequence[Event]) -> Event:
    """Return an event; it may be at the time of one before it, or a duration after that."""
    time = random_instant(dice, scene)
    if before and dice.chance(30):
        time = dice.pick(before).time
        if dice.chance(60):
            time = step(time, dice.pick(scene.durations), 1, scene.zone)
            time += dice.pick((0, 0, 0, 1, -1)) * MICROSECOND
    properties: dict[str, object] = {}
    for property_ in type_.properties:
        if type_.name in LIST_EVENTS:
            properties[property_.name] = dice.pick(LIST_NAMES)
        elif dice.chance(85):
            properties[property_.name] = random_value(dice, scene, property_)
    id_ = f"e{dice.integer(0, 5)}" if dice.chance(30) else None
    return Event("", type_.name, time, id_, properties)


def list_history(dice: Choices, scene: Scene, contact: Mapping[str, object]) -> list[Event]:
    """Return the events that a file of lists makes: joins at known times, and every opt-out."""
    events = []
    for name in contact.get("list") or ():  # type: ignore[attr-defined]
        if dice.chance(70):
            time = random_instant(dice, scene)
            events.append(Event("", LIST_JOINED, time, None, {"list": name}))
    for name in contact.get("opted_out") or ():  # type: ignore[attr-defined]
        time = random_instant(dice, scene)
        events.append(Event("", LIST_OPTED_OUT, time, None, {"list": name}))
    return events


def shuffled(dice: Choices, events: Sequence[Event]) -> list[Event]:
    """Return the events out of order: a few exchanges are enough."""
    events = list(events)

    def exchange() -> None:
        i, j = dice.integer(0, len(events) - 1), dice.integer(0, len(events) - 1)
        events[i], events[j] = events[j], events[i]

    if events:
        dice.many(0, 20, exchange)
    return events
