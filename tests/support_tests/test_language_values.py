"""docs/language.md, section 4 and the parts of 8 about values, sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headcount.model.errors import UserError
from headcount.model.schema import Field, FieldType
from headcount.query import tree
from support import asking, oracle, oracle_values
from support.asking import happened, instant, schema
from support.oracle_time import RefusedError
from support.worlds import World

Ask = Callable[..., str]


def texts(*values: str, **options: bool) -> World:
    """Return contacts v0, v1, ... that have these strings, in the field `name`, and one without."""
    field = Field("name", FieldType.TEXT, **options)
    contacts: dict[str, dict[str, object]] = {f"v{i}": {"name": v} for i, v in enumerate(values)}
    return World(schema({"name": field}), contacts | {"none": {}}, [])


PLAIN = texts(
    "Straße", "STRASSE", "München", "Mu\u0308nchen", "Munchen", "100% a_b", " ann ", "ann"
)
SENSITIVE = texts("Pro", "pro", "Mu\u0308nchen", case_sensitive=True)
FOLDED = texts("Crème Brûlée", "creme brulee", "Straße", fold_accents=True)

STRINGS = [
    # On Unicode NFC, case-folded with full folding
    (PLAIN, "name = 'strasse'", "v0 v1"),
    (PLAIN, "name = 'STRAßE'", "v0 v1"),
    (PLAIN, "name = 'MÜNCHEN'", "v2 v3"),
    (PLAIN, "name = 'mu\u0308nchen'", "v2 v3"),
    (PLAIN, "name = 'munchen'", "v4"),  # accents count
    (PLAIN, "name in ('strasse', 'munchen')", "v0 v1 v4"),
    (PLAIN, "name contains 'SS'", "v0 v1"),
    (PLAIN, "name starts with 'stras'", "v0 v1"),
    (PLAIN, "name ends with 'ße'", "v0 v1"),
    (PLAIN, "name not contains 'n'", "v0 v1 v5 none"),
    # unless the field is case-sensitive
    (SENSITIVE, "name = 'Pro'", "v0"),
    (SENSITIVE, "name contains 'p'", "v1"),
    (SENSITIVE, "name = 'München'", "v2"),
    (SENSITIVE, "name matches '^p'", "v1"),
    # Accents fold where the field says so
    (FOLDED, "name = 'CREME BRULEE'", "v0 v1"),
    (FOLDED, "name contains 'brûl'", "v0 v1"),
    (FOLDED, "name = 'strasse'", "v2"),  # ß is no accent, and folds by case
    (FOLDED, "name matches 'creme'", "v0 v1"),
    # `like` fits the whole key; `_` is one code point, `%` any run, `\` takes the next as it is
    (PLAIN, "name like 'stra__e'", "v0 v1"),  # ß is two in the key
    (PLAIN, "name like 'm_nchen'", "v2 v3 v4"),
    (PLAIN, "name like 'str%'", "v0 v1"),
    (PLAIN, "name like '%ss%'", "v0 v1"),
    (PLAIN, "name like 'ann'", "v7"),  # nothing is trimmed
    (PLAIN, "name like '_ann_'", "v6"),
    (PLAIN, r"name like '100\\% a\\_b'", "v5"),
    (PLAIN, r"name like '100\% a\_b'", "v5"),
    (PLAIN, r"name like '10\% %'", ""),
    (PLAIN, "name like '100%b'", "v5"),
    # `matches` is found anywhere, in the value, ignoring case
    (PLAIN, "name matches 'chen$'", "v2 v3 v4"),
    (PLAIN, "name matches '^m[uü]n'", "v2 v3 v4"),
    (PLAIN, "name matches 'ss'", "v1"),  # in the value, where ß is ß
    (PLAIN, r"name matches '\\d+%'", "v5"),
    (PLAIN, "name not matches '[a-z]'", "none"),
    (PLAIN, "name = ' ann '", "v6"),
    (PLAIN, "name != ''", "v0 v1 v2 v3 v4 v5 v6 v7"),
]


@pytest.mark.parametrize(("world", "text", "members"), STRINGS)
def test_strings(ask: Ask, world: World, text: str, members: str) -> None:
    """A string is compared in its key form."""
    assert ask(world, text) == members


def test_a_bad_pattern_is_refused(ask: Ask) -> None:
    """A bad pattern is an error, found where it is applied."""
    with pytest.raises((RefusedError, UserError)):
        ask(PLAIN, "name matches '('")


IDS = World(
    schema({}),
    {name: {} for name in ("42", "042", "Ann", "ann", "é", "e\u0301", "Straße")},
    [],
)

EXACT = [
    ("id = 42", "42"),
    ("id = '42'", "42"),
    ("id in (42, 43)", "42"),
    ("id != 42", "042 Ann ann é e\u0301 Straße"),
    ("id = 'ann'", "ann"),
    ("id = 'é'", "é"),
    ("id = 'e\u0301'", "e\u0301"),
    ("id contains '42'", "42 042"),
    ("id starts with 'A'", "Ann"),
    ("id = 'strasse'", ""),
    ("id matches '^a'", "ann"),
    ("id like '_'", "é"),
]


@pytest.mark.parametrize(("text", "members"), EXACT)
def test_ids(ask: Ask, text: str, members: str) -> None:
    """`id` is always compared exactly, and a whole number beside it is its digits."""
    assert ask(IDS, text) == members


TIERS = Field("tier", FieldType.STAGE, values=("Bronze", "silver", "GOLD"))
THINGS = World(
    schema(
        {
            "tier": TIERS,
            "score": "number",
            "other": "number",
            "vip": "boolean",
            "agreed": "boolean",
            "tags": "keywords",
            "plan": "keyword",
            "spare": "keyword",
        }
    ),
    {
        "ann": {
            "stage": "Customer", "tier": "GOLD", "status": "Active", "label": ("VIP", "news"),
            "score": 0.1, "other": 0.2, "vip": True, "agreed": True, "tags": ("Chess", "go club"),
            "plan": "Pro", "spare": "Team",
        },
        "bob": {
            "stage": "Lead", "tier": "silver", "status": "Pending", "label": ("news",),
            "score": 2.0**53, "other": 1.0, "vip": False, "agreed": True, "tags": ("chess",),
            "spare": "Team",
        },
        "cid": {"stage": "Prospect", "tier": "Bronze", "status": "Hard Bounce", "score": -0.0},
        "none": {},
    },
    [],
)  # fmt: skip

VALUES = [
    # Stages are ordered by their place, not by their name
    ("stage >= Customer", "ann"),
    ("stage > 'lead'", "ann"),
    ("stage < 'Customer'", "bob cid"),
    ("stage = Lead", "bob"),
    ("stage != Lead", "ann cid none"),
    ("stage between Lead and Loyal", "ann bob"),
    ("stage in (Prospect, Trial)", "cid"),
    ("tier > 'bronze'", "ann bob"),
    ("tier <= Silver", "bob cid"),
    ("'Lead' <= stage", "ann bob"),
    # Status is a keyword with four values
    ("status = Active", "ann"),
    ("status = 'hard bounce'", "cid"),
    ("status in (Pending, 'Hard Bounce')", "bob cid"),
    ("status != Active", "bob cid none"),
    # Multi-valued fields: whether the set has the value
    ("label contains 'news'", "ann bob"),
    ("label = NEWS", "ann bob"),
    ("label != 'vip'", "bob cid none"),
    ("label not contains 'vip'", "bob cid none"),
    ("label in ('vip', 'news')", "ann bob"),
    ("label not in ('vip')", "bob cid none"),
    ("label contains any ('vip', 'news')", "ann bob"),
    ("label contains all ('vip', 'news')", "ann"),
    ("label contains none ('vip')", "bob cid none"),
    ("label not contains all ('vip', 'news')", "bob cid none"),
    ("label not contains none ('vip')", "ann"),
    ("tags contains 'CHESS'", "ann bob"),
    ("tags contains 'che'", ""),
    ("tags in ('go club', 'nothing')", "ann"),
    ("tags starts with 'go'", "ann"),
    ("tags ends with 'SS'", "ann bob"),
    ("tags like '%club'", "ann"),
    ("tags matches 'ub$'", "ann"),
    ("tags not starts with 'go'", "bob cid none"),
    ("tags is empty", "cid none"),
    # Booleans
    ("vip = true", "ann"),
    ("vip is false", "bob"),
    ("vip != true", "bob cid none"),
    ("vip in (true, false)", "ann bob"),
    ("vip is empty", "cid none"),
    ("vip = agreed", "ann"),
    ("vip != agreed", "bob cid none"),
    # Numbers are exact
    ("score = 0.1", "ann"),
    ("score = 9007199254740992", "bob"),
    ("score > 9007199254740991", "bob"),
    ("score = 0", "cid"),
    ("score < 0", ""),
    ("score between 0 and 0.1", "ann cid"),
    ("score in (0.1, 0.2)", "ann"),
    ("score < other", "ann"),
    ("score + other = 0.30000000000000004", "ann"),
    ("0.1 >= score", "ann cid"),
    # Functions of numbers
    ("abs(score - 1) = 0.9", "ann"),
    ("min(score, other) = 0.1", "ann"),
    ("max(score, other) = 0.2", "ann"),
    ("max(score, other) is empty", "cid none"),
    ("coalesce(other, score) = 0", "cid"),
    ("coalesce(other, 7) = 7", "cid none"),
    ("round(score) = 0", "ann cid"),
    ("length(tags) = 2", "ann"),
    ("length(plan) = 3", "ann"),
    ("coalesce(plan, spare) = 'team'", "bob"),
    ("coalesce(plan, 'free') = Free", "bob cid none"),
]


@pytest.mark.parametrize(("text", "members"), VALUES)
def test_values(ask: Ask, text: str, members: str) -> None:
    """Each type compares as section 4 says."""
    assert ask(THINGS, text) == members


@pytest.mark.parametrize(
    "text",
    [
        "stage > 'Nobody'",
        "vip < true",
        "plan > 'A'",
        "plan = 3",
        "score contains '1'",
        "tags < 'a'",
    ],
)
def test_what_has_no_meaning_is_refused(ask: Ask, text: str) -> None:
    """Strings and booleans have no order, numbers are no strings, stages are known."""
    with pytest.raises((RefusedError, UserError)):
        ask(THINGS, text)


def test_the_sample_is_the_one_that_any_program_can_compute() -> None:
    """FNV-1a and fmix64 give their published values, and the share is of 2^64."""
    assert oracle_values.fnv1a64("") == 0xCBF29CE484222325
    assert oracle_values.fnv1a64("a") == 0xAF63DC4C8601EC8C
    assert oracle_values.fnv1a64("foobar") == 0x85944171F73967E8
    assert oracle_values.fmix64(0) == 0
    assert oracle_values.fmix64(1) == 0xB456BCFC34C2CB2C
    assert oracle_values.in_sample("a", 100, "")
    assert not oracle_values.in_sample("a", 0, "")


def test_a_sample_is_a_share_of_all(ask: Ask) -> None:
    """Samples of one salt are nested, those of two salts differ, and a tenth is about a tenth."""
    many = World(schema({}), {f"c{i}": {} for i in range(2000)}, [])
    tenth, half = (set(ask(many, f"sample {p}%").split()) for p in (10, 50))
    assert tenth < half
    assert 150 < len(tenth) < 250
    assert ask(many, "sample 10% of 'spring'") != ask(many, "sample 10%")
    assert ask(many, "sample 10% of ''") == ask(many, "sample 10%")
    assert ask(many, "sample 100%") == ask(many, "everyone")


SENDERS = schema(
    events={"Email_Send": {}, "message": {}, "purchase": {}},
    aliases={"message": ("clicked",)},
    groups={"opened": ("purchase",)},
)
SENT = World(
    SENDERS,
    {"buyer": {}, "clicker": {}, "reader": {}, "none": {}},
    happened("buyer", "purchase", "2026-05-01")
    + happened("clicker", "message", "2026-05-02", "2026-05-10")
    + happened("reader", "Email_Send", "2026-05-03"),
)


def test_engagement_times_are_of_types_or_aliases(ask: Ask) -> None:
    """`last_click` is of a type with the alias `clicked`, `last_activity` of all but sends."""
    assert ask(SENT, "last_click on 2026-05-02") == "clicker"
    assert ask(SENT, "last_send on 2026-05-03") == "reader"
    assert ask(SENT, "last_activity is not empty") == "buyer clicker"
    assert ask(SENT, "last_activity < 9 days ago") == "buyer clicker"
    assert ask(SENT, "last_activity < 8 days ago") == "clicker"


def test_a_group_is_no_engagement() -> None:
    """A group that is called `opened` makes no `last_open`: only types and aliases do."""
    assert asking.ask(SENT, "last_open is empty") == "buyer clicker reader none"


def test_a_declared_field_takes_the_place_of_an_engagement_time(ask: Ask) -> None:
    """A field called `last_open` is what contacts have, whatever was opened."""
    world = World(
        schema({"last_open": "datetime"}, {"open": {}}),
        {"ann": {"last_open": instant("2020-01-01")}, "bob": {}},
        [],
    )
    assert ask(world, "last_open before 2021-01-01") == "ann"


def test_a_segment_that_nobody_saved_is_refused() -> None:
    """Section 6: an unknown segment is an error."""
    with pytest.raises(RefusedError):
        oracle.members(THINGS, tree.InSegment("x"), instant("2026-05-09T12:00"), "UTC")
