"""The schema's TOML: what it declares, what it refuses and why, and that it round-trips."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.model import schema_toml
from headcount.model.errors import Reason, UserError
from headcount.model.schema import PROPERTY_TYPES, EventType, Field, FieldType, Schema

EXAMPLE = """\
id = "contact_id"
time_zone = "Europe/Berlin"
labels = ["vip", "50% off"]
lists = ["news"]

[fields]
country      = "keyword"
email        = "text"
total_spent  = "number"
vip          = "boolean"
birthday     = "date"
signed_up_at = "datetime"
interests    = "keywords"
stage        = { type = "stage", values = ["Prospect", "Lead", "Trial", "Customer", "Loyal"] }
plan         = { type = "keyword", case = "sensitive" }
"first name" = { type = "text", accents = "fold" }

[calculated]
average_order_value = "total_revenue / order_count"

[events.email_open]
alias = ["opened", "opens", "email_opens"]
[events.email_click]
alias = "clicked"
[events.purchase]
properties = { amount = "number", category = "keyword" }

[event_groups]
engaged = ["email_open", "email_click"]
"""


def refused(text: str) -> UserError:
    """Return the error that *text* gives."""
    with pytest.raises(UserError) as caught:
        schema_toml.parse(text)
    assert caught.value.reason is Reason.INVALID_SCHEMA
    return caught.value


def test_every_part_of_the_example_is_read() -> None:
    """Types, options, aliases, properties, groups, calculated fields and settings arrive."""
    schema = schema_toml.parse(EXAMPLE)
    assert (schema.id_column, schema.time_zone) == ("contact_id", "Europe/Berlin")
    assert schema.fields["plan"] == Field("plan", FieldType.KEYWORD, case_sensitive=True)
    assert schema.fields["first name"] == Field("first name", FieldType.TEXT, fold_accents=True)
    assert schema.fields["stage"].values == ("Prospect", "Lead", "Trial", "Customer", "Loyal")
    assert {f.type for f in schema.fields.values()} == set(FieldType)
    assert schema.events["email_click"].aliases == ("clicked",)
    assert schema.events["purchase"].properties == (
        Field("amount", FieldType.NUMBER),
        Field("category", FieldType.KEYWORD),
    )
    assert schema.groups == {"engaged": ("email_open", "email_click")}
    assert schema.calculated == {"average_order_value": "total_revenue / order_count"}
    assert (schema.labels, schema.lists) == (("vip", "50% off"), ("news",))


def test_the_example_round_trips() -> None:
    """Rendering the example and parsing it again gives an equal schema."""
    schema = schema_toml.parse(EXAMPLE)
    assert schema_toml.parse(schema_toml.render(schema)) == schema


def test_an_empty_text_is_the_schema_of_built_in_fields() -> None:
    """No declaration is needed to have ids, statuses, labels and lists."""
    assert schema_toml.parse("") == Schema()
    assert schema_toml.parse(schema_toml.render(Schema())) == Schema()


def test_text_that_is_not_toml_is_shown_with_a_caret() -> None:
    """A TOML error carries its line, column and source line."""
    error = refused('[fields]\ncountry = keyword"\n')
    assert error.position is not None
    assert (error.position.line, error.position.source) == (2, 'country = keyword"')
    assert "not TOML" in error.message


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ('[field]\na = "text"', "unknown key `field`", "fields"),
        ('[fields]\na = "nunber"', "expected one of keyword, text, number", "number"),
        ('[events.e]\nalais = ["x"]', "unknown key `alais`", "alias"),
        ('[events.e]\nproperties = { a = "keywords" }', "expected one of", "keyword"),
        ('time_zone = "Europe/Berlim"', "expected an IANA time zone", "Europe/Berlin"),
        ('[events.e]\n[event_groups]\ng = ["f_e"]', "which is no event type", "e"),
    ],
)
def test_a_misspelling_is_refused_with_what_was_meant(
    text: str, message: str, suggestion: str
) -> None:
    """Every unknown word is an error that says what is known and what is near."""
    error = refused(text)
    assert message in error.message
    assert not error.suggestions or suggestion in error.suggestions
    assert error.field is not None
    assert error.field.startswith("schema.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[fields]\nid = "text"', "built in"),
        ('[fields]\nlist = "keywords"', "`list` is taken"),
        ('[fields]\nOpted_Out = "boolean"', "is taken"),
        ('id = "cid"\n[fields]\nCID = "text"', "it means the contact's id"),
        ('[fields]\na = "text"\nA = "text"', "differ only in case"),
        ('[events.e]\nproperties = { a = "text", A = "text" }', "differ only in case"),
        ('[fields]\nstage = "stage"', "needs its values"),
        ('[fields]\nstage = { type = "stage", values = ["A", "a"] }', "differ only in case"),
        ('[fields]\na = { type = "number", values = ["1"] }', "only a stage or a keyword"),
        ('[fields]\na = { type = "number", case = "sensitive" }', "are for strings"),
        ("[fields]\na = { values = [] }", "has no type"),
        ("[fields]\na = 3", "expected a table"),
        ("fields = 3", "expected a table"),
        ('labels = "vip"', "expected a list"),
        ('labels = ["vip", "vip"]', "there twice"),
        ('lists = [" news"]', "spaces around"),
        ('lists = [""]', "expected text"),
        ('[fields]\n"a`b" = "text"', "cannot be a name"),
        ('[fields]\n"a\\nb" = "text"', "cannot be a name"),
        (f'[fields]\n{"a" * 129} = "text"', "over 128 bytes"),
        ('time_zone = "Europe"', "expected an IANA time zone"),
        ('time_zone = "/etc/localtime"', "expected an IANA time zone"),
        ('[events.a]\nalias = "b"\n[events.b]', "is the name of both"),
        ("[events.a]\nkeep_days = 0", "expected a number of days from 1"),
        ("[events.a]\nkeep_days = true", "expected a number of days from 1"),
        ("[events.a]\nkeep_days = 36501", "leave it out to keep events for ever"),
        ("[calculated]\na = 3", "expected text"),
    ],
)
def test_a_contradiction_is_refused(text: str, message: str) -> None:
    """What cannot be meant is an error that names the place in the file."""
    error = refused(text)
    assert message in error.message
    assert error.field is not None


names = st.text(
    st.characters(codec="utf-8", exclude_characters="`", exclude_categories=["C", "Z"]),
    min_size=1,
    max_size=12,
)
values = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda v: v == v.strip()
)


def unique(text: str) -> str:
    """Return the form in which two names clash."""
    return text.casefold()


@st.composite
def declared(draw: st.DrawFn, name: str, types: list[FieldType]) -> Field:
    """Return any field called *name* that can be declared."""
    kind = draw(st.sampled_from(types))
    allowed = {FieldType.STAGE: (1, 4), FieldType.KEYWORD: (0, 4)}.get(kind, (0, 0))
    return Field(
        name,
        kind,
        case_sensitive=(kind.is_string or kind is FieldType.KEYWORDS) and draw(st.booleans()),
        fold_accents=(kind.is_string or kind is FieldType.KEYWORDS) and draw(st.booleans()),
        values=tuple(
            draw(st.lists(values, min_size=allowed[0], max_size=allowed[1], unique_by=unique))
        ),
    )


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Return any schema whose names do not clash."""
    used = draw(st.lists(names, min_size=8, max_size=16, unique_by=unique))
    used = [f"n{name}" for name in used]  # clear of the built-in names
    types = sorted(FieldType)
    fields = {n: draw(declared(n, types)) for n in used[:3]}
    properties = sorted(PROPERTY_TYPES)
    events = {
        n: EventType(
            n,
            (f"alias {n}",),
            (draw(declared(used[0], properties)),),
            keep_days=draw(st.integers(0, 36_500)),
        )
        for n in used[3:6]
    }
    return Schema(
        id_column=draw(st.sampled_from(["id", "contact_id", "é"])),
        time_zone=draw(st.sampled_from(["UTC", "America/New_York"])),
        fields=fields,
        events=events,
        groups={used[6]: (used[3], used[4])},
        calculated={used[7]: draw(values)},
        labels=tuple(draw(st.lists(values, max_size=3, unique=True))),
        lists=tuple(draw(st.lists(values, max_size=3, unique=True))),
    )


@settings(deadline=None)
@given(schemas())
def test_every_schema_round_trips(schema: Schema) -> None:
    """`parse(render(schema)) == schema`, with any characters in names and values."""
    assert schema_toml.parse(schema_toml.render(schema)) == schema


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_schema_or_a_user_error(text: str) -> None:
    """No text makes the reader fail in another way than with a `UserError`."""
    with contextlib.suppress(UserError):
        schema_toml.parse(text)
