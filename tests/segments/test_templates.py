"""Templates: each is a segment that works where its needs are met, and finds whom it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pytest

from headcount.model.errors import UserError
from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.query.bind import bind
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.parse import parse
from headcount.segments.needs import Has, Need, NeedKind
from headcount.segments.templates import TEMPLATES, Template, fits
from support.engines import context_at, members_of, view_of
from support.worlds import Event, World

AS_OF = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)  # a Wednesday in the holiday season
CONTEXT = context_at(AS_OF)
BY_NAME = {template.name: template for template in TEMPLATES}

each_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)


def schema_of(needs: Iterable[Need]) -> Schema:
    """Return a schema that has what is needed, and nothing else."""
    fields: dict[str, Field] = {}
    events: dict[str, dict[str, Field]] = {}
    labels, lists = [], []
    stages: dict[str, None] = {}
    for need in needs:
        match need.kind:
            case NeedKind.FIELD if need.type is FieldType.STAGE:
                stages.update(dict.fromkeys(need.values))
            case NeedKind.FIELD:
                assert need.type is not None
                fields[need.name] = Field(need.name, need.type)
            case NeedKind.EVENT:
                events.setdefault(need.name, {})
            case NeedKind.PROPERTY:
                event, _, name = need.name.partition(".")
                assert need.type is not None
                events.setdefault(event, {})[name] = Field(name, need.type)
            case NeedKind.LABEL:
                labels.append(need.name)
            case NeedKind.LIST:
                lists.append(need.name)
    fields["stage"] = Field("stage", FieldType.STAGE, values=tuple(stages) or ("none",))
    types = {
        name: EventType(name, properties=tuple(properties.values()))
        for name, properties in events.items()
    }
    return Schema(fields=fields, events=types, labels=tuple(labels), lists=tuple(lists))


def needs_of(*templates: Template) -> list[Need]:
    """Return the needs of all, each once."""
    return list(dict.fromkeys(need for template in templates for need in template.needs))


# --- needs ------------------------------------------------------------------------------------


@each_template
def test_the_needs_are_enough(template: Template) -> None:
    """With what it needs and nothing else, a template binds and counts."""
    schema = schema_of(template.needs)
    assert [fit.template for fit in fits(Has(schema)) if fit.usable].count(template) == 1
    world = World(schema, {"ann": {"status": "Active"}, "bob": {}}, [])
    counted = Engine(view_of(world, 64)).count(template.text, CONTEXT)
    assert 0 <= counted.count <= 2


@each_template
def test_the_needs_are_no_more_than_it_asks(template: Template) -> None:
    """Without any one of them it does not bind, and the fit says which is missing."""
    for need in template.needs:
        rest = [other for other in template.needs if other is not need]
        if need.kind is NeedKind.EVENT:  # goes with its properties
            rest = [other for other in rest if not other.name.startswith(f"{need.name}.")]
        schema = schema_of(rest)
        missing = dict(next(f for f in fits(Has(schema)) if f.template is template).missing)
        assert need in missing
        assert missing[need]
        with pytest.raises(UserError):
            bind(parse(template.text), view_of(World(schema, {}, [])), CONTEXT)


@each_template
def test_a_template_is_written_well(template: Template) -> None:
    """Names and uses are short, lower-case except for proper names; each has both."""
    assert template.name
    assert template.finds.endswith(".")
    assert template.uses
    assert len(set(template.uses)) == len(template.uses)
    assert len(set(template.needs)) == len(template.needs)
    assert canonical(parse(template.text))


def test_names_are_unique() -> None:
    """No two templates have one name, or one text."""
    assert len(BY_NAME) == len(TEMPLATES)
    assert len({canonical(parse(template.text)) for template in TEMPLATES}) == len(TEMPLATES)


# --- whom they find ---------------------------------------------------------------------------


class Person(NamedTuple):
    """A contact: the values of its fields, and how many days ago it did what."""

    values: Mapping[str, object] = {}
    events: tuple[tuple[str, float] | tuple[str, float, Mapping[str, object]], ...] = ()


def ago(days: float) -> dt.datetime:
    """Return the instant so many days before the query."""
    return AS_OF - dt.timedelta(days=days)


def times(event: str, count: int, days: float) -> tuple[tuple[str, float], ...]:
    """Return that many events, an hour apart, that many days ago."""
    return tuple((event, days + n / 24) for n in range(count))


ACTIVE = {"status": "Active"}
SHOPPER = (("purchase", 200.0),)
PRICING = ("page_view", 3.0, {"page": "/pricing"})

# Somebody whom each template finds.
FOUND: dict[str, Person] = {
    "welcome": Person({"subscribed_at": ago(2), "welcome_email_sent": False}),
    "highly engaged": Person(events=(*times("email_open", 5, 3), *times("email_click", 2, 3))),
    "engaged only": Person(events=(("email_click", 29),)),
    "regular readers": Person(ACTIVE, times("email_open", 3, 20)),
    "read in the last month": Person(events=(("email_open", 25),)),
    "active users": Person({"last_activity": ago(29)}),
    "at risk": Person({"subscribed_at": ago(300)}, times("email_open", 6, 100)),
    "never engaged": Person({"subscribed_at": ago(31)}),
    "inactive": Person({**ACTIVE, "last_open": ago(91)}),
    "dormant": Person({"last_activity": ago(181)}),
    "re-permission": Person({"list": ("newsletter",)}, (("email_open", 91),)),
    "received but not opened": Person(events=(("email_send", 100),)),
    "regular by the week": Person(
        events=(("email_open", 1), ("email_open", 8), ("email_open", 22))
    ),
    "newsletter readers by label": Person({**ACTIVE, "label": ("newsletter",)}),
    "vip by label": Person({**ACTIVE, "label": ("vip",)}),
    "list members": Person({"list": ("newsletter",)}),
    "active on a list": Person({"list": ("newsletter",), "last_activity": ago(3)}),
    "joined this week": Person(events=(("list_joined", 3, {"list": "newsletter"}),)),
    "local actives": Person({**ACTIVE, "city": "South Jakarta"}),
    "local": Person({"country": "US", "state": "NY", "timezone": "PST"}),
    "staff": Person({"email": "ann@company.com"}),
    "specialists who went quiet": Person(
        {"job_title": "CTO", "city": "Tokyo", "interests": ("Go", "Python")},
        (("page_view", 15, {"page": "/"}),),
    ),
    "product fit": Person(
        {"product_interest": "Software", "job_title": "Senior Developer", "budget": 10001.0}
    ),
    "recent purchasers": Person(events=(("purchase", 6.9),)),
    "subscribers who did not just buy": Person({"list": ("newsletter",)}, (("purchase", 8),)),
    "ordered lately": Person(events=(("purchase", 59),)),
    "shoppers on a list": Person({"list": ("newsletter",)}, (("add_to_cart", 20),)),
    "repeat customers in the EU": Person({"country": "DE"}, times("purchase", 2, 400)),
    "engaged buyers": Person({"plan": "Pro"}, (("email_open", 5), *SHOPPER)),
    "win-back": Person({"last_purchase": ago(181), "previous_customer": True}),
    "quiet buyers": Person(events=(("email_open", 61), ("email_click", 2), *SHOPPER)),
    "lapsed buyers": Person(events=(("email_open", 61), *SHOPPER)),
    "high-value at risk": Person({"stage": "Customer", "last_open": ago(61)}),
    "churn risks": Person({"stage": "Loyal", "last_activity": ago(31)}),
    "big spenders gone quiet": Person(
        {"country": "CA", "last_purchase": ago(31), "total_spent": 500.01},
        times("email_open", 6, 1),
    ),
    "vip": Person({"mrr": 501.0}, (("email_open", 13),)),
    "high value active": Person({"lifetime_value": 501.0, "last_activity": ago(3)}),
    "top tier": Person(events=times("purchase", 6, 100)),
    "big spenders of the quarter": Person(
        events=(("purchase", 5, {"amount": 300.0}), ("purchase", 80, {"amount": 200.5}))
    ),
    "pricing page visitors": Person(events=(PRICING, *SHOPPER)),
    "hot prospects": Person(events=(PRICING,)),
    "high-intent leads": Person({"stage": "Trial"}, (PRICING, PRICING)),
    "upsell": Person({"plan": "Free"}, (PRICING,)),
    "cart abandoners": Person({"cart_value": 10.0, "last_activity": ago(0.9)}),
    "cart abandoners by event": Person(events=(("add_to_cart", 2), ("purchase", 0.5))),
    "browse abandoners": Person(events=times("product_view", 4, 1)),
    "birthday month": Person({"birthday": dt.date(1990, 11, 30)}),
    "birthday this week": Person({"birthday": dt.date(1980, 11, 25)}),
    "signup anniversary": Person({"signed_up_at": dt.datetime(2020, 11, 18, 8, tzinfo=dt.UTC)}),
    "loyal customers": Person({"signed_up_at": ago(366), "customer_tier": "Gold"}),
    "holiday season": Person(ACTIVE),
    "journey: prospect": Person({"stage": "Prospect"}),
    "journey: lead": Person({"stage": "Lead"}),
    "journey: trial": Person({"stage": "Trial"}),
    "journey: customer": Person({"stage": "Customer"}),
    "journey: loyal": Person({"stage": "Loyal"}),
    "journey: advocate": Person({"stage": "Loyal"}, (("referral", 500),)),
}

# Somebody whom it just does not find.
NOT_FOUND: dict[str, Person] = {
    "welcome": Person({"subscribed_at": ago(7.1), "welcome_email_sent": False}),
    "highly engaged": Person(events=(*times("email_open", 5, 3), *times("email_click", 2, 31))),
    "engaged only": Person(events=(("email_open", 31),)),
    "at risk": Person({"subscribed_at": ago(300)}, times("email_open", 6, 59)),
    "never engaged": Person({"subscribed_at": ago(31)}, (("email_open", 2000),)),
    "inactive": Person({"status": "Unsubscribed", "last_open": ago(91)}),
    "dormant": Person({"last_activity": ago(179)}),
    "re-permission": Person({"list": ("newsletter",)}, (("email_click", 89),)),
    "received but not opened": Person(events=(("email_send", 100), ("email_open", 99))),
    "specialists who went quiet": Person(
        {"job_title": "CTO", "city": "Tokyo", "interests": ("Python",)},
        (("page_view", 13, {"page": "/"}),),
    ),
    "product fit": Person(
        {"product_interest": "Software", "job_title": "Developer", "budget": 1e4}
    ),
    "subscribers who did not just buy": Person({"list": ("newsletter",)}, (("purchase", 1),)),
    "lapsed buyers": Person(events=(("email_click", 59), *SHOPPER)),
    "vip": Person({"mrr": 500.0}, (("email_open", 13),)),
    "hot prospects": Person(events=(PRICING, *SHOPPER)),
    "upsell": Person({"plan": "Enterprise"}, (PRICING,)),
    "cart abandoners": Person(
        {"cart_value": 10.0, "last_activity": ago(0.9), "last_purchase": ago(900)}
    ),
    "cart abandoners by event": Person(events=(("add_to_cart", 2), ("purchase", 1.5))),
    "browse abandoners": Person(events=(*times("product_view", 4, 1), ("add_to_cart", 0.5))),
    "birthday this week": Person({"birthday": dt.date(1980, 11, 26)}),
    "signup anniversary": Person({"signed_up_at": AS_OF - dt.timedelta(hours=1)}),
    "journey: loyal": Person({"stage": "Loyal"}, (("referral", 500),)),
}


def world_of(schema: Schema, people: Mapping[str, Person]) -> World:
    """Return a world of people by name."""
    events = [
        Event(name, happened[0], ago(happened[1]), None, happened[2] if happened[2:] else {})
        for name, person in people.items()
        for happened in person.events
    ]
    return World(schema, {name: person.values for name, person in people.items()}, events)


@each_template
def test_it_finds_whom_it_says(template: Template) -> None:
    """An example of somebody it finds, one just outside where there is one, and nobody at all."""
    people = {"found": FOUND[template.name], "blank": Person()}
    if template.name in NOT_FOUND:
        people["outside"] = NOT_FOUND[template.name]
    schema = schema_of(needs_of(*TEMPLATES))
    found = members_of(Engine(view_of(world_of(schema, people), 64)), template.text, CONTEXT)
    expected = ["found", "blank"] if template.name == "dormant" else ["found"]
    assert found == expected


def test_every_template_has_somebody() -> None:
    """No example is missing, and none is left over."""
    assert set(FOUND) == set(BY_NAME)
    assert set(NOT_FOUND) <= set(BY_NAME)


def test_the_journey_holds_each_contact_once() -> None:
    """131: of the six steps, everybody with a stage is in exactly one."""
    steps = [template for template in TEMPLATES if template.name.startswith("journey: ")]
    assert len(steps) == 6
    people = {template.name: FOUND[template.name] for template in steps}
    engine = Engine(view_of(world_of(schema_of(needs_of(*steps)), people), 64))
    for template in steps:
        assert members_of(engine, template.text, CONTEXT) == [template.name]


# --- coverage ---------------------------------------------------------------------------------

# The named examples of the requirements, and the template that each is found in.
EXAMPLES = {
    93: "engaged buyers", 94: "quiet buyers", 95: "hot prospects", 96: "vip", 97: "re-permission",
    98: "engaged only", 99: "upsell", 100: "lapsed buyers", 101: "recent purchasers",
    102: "repeat customers in the EU", 103: "newsletter readers by label", 104: "vip by label",
    105: "inactive", 106: "local actives", 107: "high-value at risk", 108: "regular readers",
    109: "churn risks", 110: "high-intent leads", 111: "dormant",
    112: "specialists who went quiet", 113: "pricing page visitors", 114: "staff",
    115: "big spenders gone quiet", 116: "highly engaged", 117: "at risk", 118: "never engaged",
    119: "recent purchasers", 120: "cart abandoners", 121: "browse abandoners", 122: "local",
    123: "birthday month", 124: "loyal customers", 125: "product fit", 126: "active users",
    127: "active users", 128: "active on a list", 129: "subscribers who did not just buy",
    130: "high value active", 131: "journey: advocate", 132: "list members",
    133: "read in the last month", 134: "ordered lately", 135: "received but not opened",
    136: "shoppers on a list", 137: "welcome", 138: "win-back", 139: "top tier", 140: "inactive",
}  # fmt: skip

# 187: what the segments are said to be used for.
USES = {
    "premium content", "special offers", "beta invitations", "re-engagement", "win-back", "survey",
    "content change", "preference centre", "sunset", "thank-you", "review", "cross-sell",
    "reminder", "discount", "support", "recommendations", "limited-time", "education",
    "local events", "regional offers", "time-zone sends", "birthday wishes", "discounts", "loyalty",
    "exclusive access", "retention",
}  # fmt: skip


@pytest.mark.parametrize("number", EXAMPLES)
def test_every_example_is_a_template(number: int) -> None:
    """93 to 140: each named example is there as a template."""
    assert EXAMPLES[number] in BY_NAME


def test_every_use_is_a_tag_of_some_template() -> None:
    """187: each use that was named is found under at least one template."""
    assert set(EXAMPLES) == set(range(93, 141))
    assert {use for template in TEMPLATES for use in template.uses} >= USES


def test_what_can_be_used_comes_first() -> None:
    """In an empty workspace what needs nothing is on top, in the order of the list."""
    found = fits(Has(Schema()))
    usable = [fit.template.name for fit in found if fit.usable]
    assert usable == [
        "joined this week",
        "holiday season",
        "journey: prospect",
        "journey: lead",
        "journey: trial",
        "journey: customer",
    ]
    assert [fit.usable for fit in found] == sorted((fit.usable for fit in found), reverse=True)
    assert len(found) == len(TEMPLATES)
    full = Has(schema_of(needs_of(*TEMPLATES)))
    assert all(fit.usable for fit in fits(full))
    seen = Has(Schema(), frozenset({"VIP"}), frozenset({"Newsletter"}))
    assert {"vip by label", "list members"} <= {f.template.name for f in fits(seen) if f.usable}
