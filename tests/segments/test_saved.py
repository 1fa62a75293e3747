"""Saved segments: named, checked, stored before they are seen, and never left dangling."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.model.fold import key
from headcount.query.format import format as canonical
from headcount.query.parse import parse
from headcount.query.saved import memberships
from headcount.query.tree import InSegment
from headcount.segments import definition, saved
from headcount.segments.definition import Definition, Draft, checked, renamed
from headcount.segments.saved import Catalogue
from headcount.storage.definitions import Definitions

NOW = 1_770_000_000_000_000


class Disk:
    """Keeps the rows of the last commit, or fails."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.commits = 0
        self.full = False

    def __call__(self, rows: Mapping[str, str]) -> None:
        if self.full:
            raise UserError(Reason.DISK_FULL, "the disk is full")
        self.rows = dict(rows)
        self.commits += 1

    def load(self) -> Catalogue:
        """Return the catalogue that a restart would find."""
        return Catalogue.load(Definitions(Path("segments.db"), self.commits, self.rows))


@pytest.fixture
def disk() -> Disk:
    return Disk()


def draft(name: str, text: str, **more: Any) -> Draft:
    """Return a draft of a text."""
    return Draft(name, parse(text), source=text, **more)


def filled(disk: Disk, **texts: str) -> Catalogue:
    """Return a catalogue with these segments, saved in this order."""
    catalogue = Catalogue({}, 0)
    for i, (name, text) in enumerate(texts.items()):
        catalogue = catalogue.create(draft(name, text), NOW + i, disk)
    return catalogue


def contents(catalogue: Catalogue) -> list[Definition]:
    """Return every definition by name."""
    return list(catalogue)


# --- one segment ------------------------------------------------------------------------------


def test_a_segment_is_kept_as_canonical_text(disk: Disk) -> None:
    """12, 13: what is stored is the definition with its note, never members."""
    text = "LAST_OPEN > 30 days ago AND plan=Pro -- note"
    catalogue = Catalogue({}, 0).create(
        draft("Inactive Buyers > 30 Days", text, description="For Anna", tags=("win-back", "Q3")),
        NOW,
        disk,
    )
    found = catalogue.get("inactive buyers > 30 DAYS")
    assert found.name == "Inactive Buyers > 30 Days"
    assert found.text == "LAST_OPEN more than 30 days ago and plan = Pro"
    assert found.segment == parse(text)
    assert (found.description, found.tags) == ("For Anna", ("win-back", "Q3"))
    assert (found.created_at, found.updated_at) == (NOW, NOW)
    assert list(disk.rows) == ["Inactive Buyers > 30 Days"]
    assert contents(disk.load()) == contents(catalogue)
    assert disk.load().revision == catalogue.revision == 1


@pytest.mark.parametrize(
    "name", ["High-Value Customers - Last 90 Days", "a/b?c=d&e", "`\"'\\", "\0\n\t", "日本😀", " "]
)
def test_names_may_hold_any_characters(disk: Disk, name: str) -> None:
    """A name is found by itself, and can be used by another segment."""
    catalogue = Catalogue({}, 0).create(draft(name, "everyone"), NOW, disk)
    member = InSegment(name)
    catalogue = catalogue.create(Draft("user of it", member), NOW, disk)
    assert catalogue.get(name).name == name
    assert catalogue.get("user of it").segment == member
    assert contents(disk.load()) == contents(catalogue)
    with pytest.raises(UserError, match="is used by `user of it`"):
        catalogue.delete(name, disk)


def test_names_are_one_in_any_case_and_form(disk: Disk) -> None:
    """`Straße`, `STRASSE` and another Unicode form of a name are the same name."""
    catalogue = filled(disk, Straße="everyone", Café="everyone")
    for name in ("straße", "STRASSE", "Cafe\u0301", "CAFÉ"):
        assert catalogue.find(name) is not None
        with pytest.raises(UserError) as caught:
            catalogue.create(draft(name, "everyone"), NOW, disk)
        assert (caught.value.reason, caught.value.field) == (Reason.ALREADY_EXISTS, "name")
    decomposed = catalogue.create(draft("E\u0301te\u0301", "everyone"), NOW, disk)
    assert decomposed.get("été").name == "Été"


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"name": ""}, "name", "expected a name, found none"),
        ({"name": "x" * 201}, "name", "expected at most 200 characters, found 201"),
        ({"name": "\ud800"}, "name", "half a surrogate pair"),
        ({"description": "x" * 10_001}, "description", "at most 10,000 characters"),
        ({"tags": ("a",) * 51}, "tags", "expected at most 50 tags, found 51"),
        ({"tags": ("a", "")}, "tags[1]", "expected a tag, found none"),
        ({"tags": ("x" * 101,)}, "tags[0]", "at most 100 characters"),
    ],
)
def test_what_cannot_be_saved(disk: Disk, change: dict[str, Any], field: str, message: str) -> None:
    """Names, descriptions and tags have limits, which are met exactly."""
    with pytest.raises(UserError, match=message) as caught:
        Catalogue({}, 0).create(dataclasses.replace(draft("x", "everyone"), **change), NOW, disk)
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_VALUE, field)
    assert disk.commits == 0


def test_the_largest_that_can_be_saved() -> None:
    """One character less is saved; a name is measured in NFC; a tag counts once in any case."""
    largest = Draft(
        "e\u0301" * definition.MAX_NAME,
        parse("everyone"),
        "x" * definition.MAX_DESCRIPTION,
        ("x" * definition.MAX_TAG, "b", "B", *map(str, range(47))),
    )
    found = checked(largest)
    assert found.name == "é" * 200
    assert len(found.tags) == 49
    assert "b" in found.tags


def test_a_workspace_has_a_limit(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the limit is refused; changing one is not."""
    monkeypatch.setattr(saved, "MAX_SEGMENTS", 2)
    catalogue = filled(disk, a="everyone", b="everyone")
    with pytest.raises(UserError, match="2 saved segments, and may have no more") as caught:
        catalogue.create(draft("c", "everyone"), NOW, disk)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert catalogue.update("a", draft("c", "everyone"), NOW, disk).find("c")


# --- changes ----------------------------------------------------------------------------------


def test_update(disk: Disk) -> None:
    """A change gets another etag and time, and keeps when it was created."""
    before = filled(disk, vip="plan = Pro")
    old = before.get("vip")
    after = before.update("VIP", draft("vip", "plan = Team", tags=("x",)), NOW + 5, disk)
    found = after.get("vip")
    assert (found.text, found.tags) == ("plan = Team", ("x",))
    assert (found.created_at, found.updated_at) == (NOW, NOW + 5)
    assert found.etag != old.etag
    assert before.get("vip") == old  # a catalogue never changes
    assert contents(disk.load()) == contents(after)


def test_an_update_that_changes_nothing_is_not_saved(disk: Disk) -> None:
    """Other spelling of the same segment is the same segment."""
    catalogue = filled(disk, vip="plan = Pro")
    assert catalogue.update("vip", draft("vip", "plan  ==  Pro"), NOW + 5, disk) is catalogue
    assert disk.commits == 1
    other_case = catalogue.update("vip", draft("VIP", "plan = Pro"), NOW + 5, disk)
    assert other_case.get("vip").name == "VIP"
    assert list(disk.rows) == ["VIP"]


def test_an_etag_guards_against_lost_changes(disk: Disk) -> None:
    """A change or deletion on the ground of what was read earlier is refused."""
    first = filled(disk, vip="plan = Pro")
    etag = first.get("vip").etag
    second = first.update("vip", draft("vip", "plan = Team"), NOW, disk, etag)
    for change in (
        lambda: second.update("vip", draft("vip", "plan = Free"), NOW, disk, etag),
        lambda: second.delete("vip", disk, etag),
    ):
        with pytest.raises(UserError, match="was changed since it was read") as caught:
            change()
        assert (caught.value.reason, caught.value.field) == (Reason.CONFLICT, "etag")
    third = second.update("vip", draft("vip", "plan = Pro"), NOW, disk)
    assert third.get("vip").etag != etag  # the same content, but not the same change
    again = third.delete("vip", disk).create(draft("vip", "plan = Pro"), NOW, disk)
    assert again.get("vip").etag not in (etag, third.get("vip").etag)


def test_delete(disk: Disk) -> None:
    """What is deleted is gone, in any case of its name; what was never there is not found."""
    catalogue = filled(disk, vip="everyone", other="everyone").delete("VIP", disk)
    assert [found.name for found in catalogue] == ["other"]
    assert list(disk.rows) == ["other"]
    for ask in (
        lambda: catalogue.get("othr"),
        lambda: catalogue.delete("othr", disk),
        lambda: catalogue.update("othr", draft("othr", "everyone"), NOW, disk),
    ):
        with pytest.raises(UserError, match="there is no saved segment `othr`") as caught:
            ask()
        assert caught.value.reason is Reason.NOT_FOUND
        assert caught.value.suggestions == ("other",)


def test_nothing_changes_when_it_cannot_be_stored(disk: Disk) -> None:
    """The rows are stored before the catalogue is returned."""
    catalogue = filled(disk, vip="everyone")
    disk.full = True
    for change in (
        lambda: catalogue.create(draft("new", "everyone"), NOW, disk),
        lambda: catalogue.update("vip", draft("vip", "plan = Pro"), NOW, disk),
        lambda: catalogue.delete("vip", disk),
    ):
        with pytest.raises(UserError, match="the disk is full"):
            change()
    assert contents(disk.load()) == contents(catalogue)


# --- segments of segments ---------------------------------------------------------------------


def test_an_unknown_segment_is_refused(disk: Disk) -> None:
    """With its place in the text, and the nearest names."""
    catalogue = filled(disk, engaged="everyone")
    text = 'plan = Pro and\n in segment "engagd"'
    with pytest.raises(UserError, match="unknown segment `engagd`") as caught:
        catalogue.create(draft("new", text), NOW, disk)
    assert caught.value.reason is Reason.UNKNOWN_NAME
    assert caught.value.suggestions == ("engaged",)
    assert caught.value.position is not None
    assert (caught.value.position.line, caught.value.position.column) == (2, 2)
    with pytest.raises(UserError, match="unknown segment") as caught:
        catalogue.create(Draft("new", parse(text)), NOW, disk)
    assert caught.value.position is None


def test_a_circle_is_refused_with_its_path(disk: Disk) -> None:
    """The path begins with the segment that would be saved, in the spelling of its names."""
    catalogue = filled(
        disk, z="everyone", C='in segment "z"', B='not in segment "c"', a='in segment "b" or x = 1'
    )
    with pytest.raises(UserError) as caught:
        catalogue.update("c", draft("C", 'in segment "A"'), NOW, disk)
    assert caught.value.reason is Reason.INVALID_VALUE
    assert caught.value.message == ("a segment cannot be made from itself: `C` → `a` → `B` → `C`")
    with pytest.raises(UserError, match="`z` → `z`"):
        catalogue.update("z", draft("z", 'in segment "Z"'), NOW, disk)
    with pytest.raises(UserError, match="unknown segment `new`"):
        catalogue.create(draft("other", 'in segment "new"'), NOW, disk)
    with pytest.raises(UserError, match="`new` → `new`"):
        catalogue.create(draft("new", 'in segment "new"'), NOW, disk)


def test_what_is_used_cannot_be_deleted(disk: Disk) -> None:
    """The message names those that use it, some of many."""
    users = {f"user {i}": 'everyone and not in segment "VIP"' for i in range(7)}
    catalogue = filled(disk, vip="everyone", **users)
    with pytest.raises(UserError) as caught:
        catalogue.delete("vip", disk)
    assert caught.value.reason is Reason.CONFLICT
    assert caught.value.message == (
        "`vip` is used by `user 0`, `user 1`, `user 2`, `user 3`, `user 4` and 2 more; change or"
        " delete what uses it first"
    )
    assert [found.name for found in catalogue.dependants("VIP")] == list(users)
    for name in users:
        catalogue = catalogue.delete(name, disk)
    assert len(catalogue.delete("vip", disk)) == 0


def test_renaming_rewrites_what_uses_it(disk: Disk) -> None:
    """In the same commit; those that use it get another etag, the others stay."""
    catalogue = filled(
        disk,
        vip="plan = Pro",
        both='in segment "VIP" and (in list "x" or not in segment "vip")',
        none='not (in segment "both")',
    )
    commits = disk.commits
    after = catalogue.update("vip", draft("Very > Important", "plan = Pro"), NOW + 9, disk)
    assert disk.commits == commits + 1
    assert after.find("vip") is None
    assert after.get("both").text == (
        'in segment "Very > Important" and (in list "x" or not in segment "Very > Important")'
    )
    assert after.get("both").etag != catalogue.get("both").etag
    assert (after.get("both").created_at, after.get("both").updated_at) == (NOW + 1, NOW + 9)
    assert after.get("none") == catalogue.get("none")
    assert contents(disk.load()) == contents(after)
    with pytest.raises(UserError, match="cannot be called `BOTH`") as caught:
        after.update("very > important", draft("BOTH", "plan = Pro"), NOW, disk)
    assert caught.value.reason is Reason.ALREADY_EXISTS


def test_needed_gives_each_after_what_it_uses(disk: Disk) -> None:
    """Once each, however often and however far down it is used; none that is not."""
    catalogue = filled(
        disk,
        d="everyone",
        c='in segment "d"',
        b='in segment "D" and in segment "c"',
        other='in segment "b"',
    )
    text = 'in segment "B" and not (in segment "c" or in segment "C") and plan = Pro'
    assert [found.name for found in catalogue.needed(parse(text))] == ["d", "c", "b"]
    assert catalogue.needed(parse("plan = Pro")) == ()
    with pytest.raises(UserError, match="unknown segment `e`"):
        catalogue.needed(parse('in segment "b" or in segment "e"'))


def test_a_long_chain(disk: Disk) -> None:
    """A thousand in a row are put in order without recursion."""
    one = Definition.of(draft("s0", "everyone"), 1, NOW, NOW)
    chain = {"s0": one}
    for i in range(1, 1000):
        text = f'in segment "s{i - 1}"'
        chain[f"s{i}"] = dataclasses.replace(one, name=f"s{i}", text=text)
    catalogue = Catalogue(chain, 1)
    assert len(catalogue.needed(parse('in segment "s999"'))) == 1000
    with pytest.raises(UserError, match="cannot be made from itself"):
        catalogue.update("s0", draft("s0", 'in segment "s999"'), NOW, disk)


def test_renamed_reaches_every_depth() -> None:
    """Only the name in question is replaced, in any case, wherever it stands."""
    text = 'not (in segment "A" or (x = 1 and not in segment "a")) or in segment "b"'
    assert canonical(renamed(parse(text), "a", "new")) == (
        'not (in segment "new" or (x = 1 and not in segment "new")) or in segment "b"'
    )
    assert [node.name for node in memberships(parse(text))] == ["A", "a", "b"]


# --- lists ------------------------------------------------------------------------------------


def test_pages_hold_all_by_name(disk: Disk) -> None:
    """Pages of any size together hold every segment once, with or without a tag."""
    catalogue = Catalogue({}, 0)
    names = ["b", "A", "é", "Z", "日本", "c", "B2"]
    for i, name in enumerate(names):
        tags = ("Even",) if i % 2 == 0 else ()
        catalogue = catalogue.create(draft(name, "everyone", tags=tags), NOW, disk)
    for tag, wanted in ((None, names), ("even", names[::2]), ("none", [])):
        for size in range(1, 9):
            found: list[str] = []
            after: str | None = ""
            while after is not None:
                page = catalogue.page(size, after, tag)
                assert len(page.definitions) == size or page.next is None
                found += [one.name for one in page.definitions]
                after = page.next
            assert found == sorted(wanted, key=key)


# --- what is stored ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        {"a": "not json"},
        {"a": "[]"},
        {"a": "{}"},
        {"a": '{"text": "x ="}'},
        {"a": '{"text": 3, "description": "", "tags": [], "etag": "", "created_at": 1,'
              ' "updated_at": 1}'},
        {"a": '{"text": "x = 1", "description": "", "tags": [3], "etag": "", "created_at": 1,'
              ' "updated_at": 1}'},
        {"a": '{"text": "x = 1", "description": "", "tags": [], "etag": "", "created_at": "1",'
              ' "updated_at": 1}'},
        {"a": "self", "A": "self"},
        {"a": 'in segment "b"'},
        {"a": 'in segment "b"', "b": 'in segment "a"'},
    ],
)  # fmt: skip
def test_rows_of_something_else(rows: dict[str, str]) -> None:
    """Rows with right checksums that could not have been saved here are named as damage."""
    one = Definition.of(draft("x", "everyone"), 1, NOW, NOW)
    documents = {
        name: row if row[0] in "{[n" else dataclasses.replace(one, text=row).to_document()
        for name, row in rows.items()
    }
    with pytest.raises(CorruptionError) as caught:
        Catalogue.load(Definitions(Path("segments.db"), 1, documents))
    assert caught.value.part is not None
    assert caught.value.part.startswith("definition ")


class Catalogues(RuleBasedStateMachine):
    """Any operations in any order, beside a dict of texts that knows nothing of keys or graphs."""

    names = st.sampled_from(["a", "A", "b", "c c", "é", "E\u0301"])

    @initialize()
    def start(self) -> None:
        self.disk = Disk()
        self.catalogue = Catalogue({}, 0)
        self.twin: dict[str, str] = {}
        self.time = NOW
        self.refused: set[Reason] = set()

    def attempt(self, change: Any) -> bool:
        """Make a change, unless it is refused."""
        self.time += 1
        try:
            self.catalogue = change()
        except UserError as error:
            self.refused.add(error.reason)
            return False
        return True

    def text(self, used: list[str]) -> str:
        """Return a segment that uses others."""
        return " and ".join(["x = 1", *(f'in segment "{name}"' for name in used)])

    @rule(name=names, used=st.lists(names, max_size=2))
    def create(self, name: str, used: list[str]) -> None:
        text = self.text(used)
        new = draft(name, text)
        done = self.attempt(lambda: self.catalogue.create(new, self.time, self.disk))
        exist = all(key(one) in self.twin for one in used)
        assert done == (key(name) not in self.twin and exist)
        if done:
            self.twin[key(name)] = key(text)

    @rule(name=names, to=names, used=st.lists(names, max_size=2))
    def update(self, name: str, to: str, used: list[str]) -> None:
        text = self.text(used)
        new = draft(to, text)
        if self.attempt(lambda: self.catalogue.update(name, new, self.time, self.disk)):
            del self.twin[key(name)]
            self.twin[key(to)] = key(text)
            for user, its in self.twin.items():
                self.twin[user] = its.replace(f'"{key(name)}"', f'"{key(to)}"')

    @rule(name=names)
    def delete(self, name: str) -> None:
        used = any(f'"{key(name)}"' in text for text in self.twin.values())
        done = self.attempt(lambda: self.catalogue.delete(name, self.disk))
        assert done == (key(name) in self.twin and not used)
        if done:
            del self.twin[key(name)]

    @invariant()
    def memory_and_disk_are_the_twin(self) -> None:
        assert self.refused <= {
            Reason.ALREADY_EXISTS,
            Reason.NOT_FOUND,
            Reason.CONFLICT,
            Reason.UNKNOWN_NAME,
            Reason.INVALID_VALUE,
        }
        found = {key(one.name): key(one.text) for one in self.catalogue}
        assert found == self.twin
        reopened = self.disk.load()
        assert contents(reopened) == contents(self.catalogue)
        assert reopened.revision == self.catalogue.revision == self.disk.commits
        etags = [one.etag for one in self.catalogue]
        assert len(set(etags)) == len(etags)
        for one in self.catalogue:
            order = [key(other.name) for other in self.catalogue.needed(one.segment)]
            assert len(set(order)) == len(order)
            assert set(one.uses) <= set(order)
            assert key(one.name) not in order


Catalogues.TestCase.settings = settings(
    max_examples=60, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCatalogues = Catalogues.TestCase
