"""The saved segments of a workspace: what is acknowledged is on the disk."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.query.parse import parse
from headcount.segments.definition import Definition, Draft
from headcount.segments.store import SavedSegments
from headcount.storage import definitions
from headcount.storage.definitions import read_definitions
from headcount.storage.folder import WriterLock
from support import stored
from support.faults import Fault, Faults

NOW = 1_770_000_000_000_000
DATA = Path(__file__).resolve().parent.parent / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a small workspace."""
    stored.write(tmp_path / "data", 1)
    return tmp_path / "data"


def draft(name: str, text: str = "everyone") -> Draft:
    """Return a draft of a text."""
    return Draft(name, parse(text), "a note", ("tag",))


def names(saved: SavedSegments) -> list[str]:
    """Return the names of all saved segments."""
    return [one.name for one in saved.catalogue]


def test_what_was_saved_is_there_after_a_restart(folder: Path) -> None:
    """Created, changed, renamed and deleted segments are found as they were left."""
    with WriterLock(folder) as lock:
        saved = SavedSegments(folder, "default", lock)
        assert names(saved) == []
        first = saved.create(draft("vip", "plan = Pro"), NOW)
        saved.create(draft("engaged"), NOW)
        saved.create(draft("both", 'in segment "vip" and in segment "engaged"'), NOW + 1)
        changed = saved.update("vip", draft("VIP > 90", "plan = Team"), NOW + 2, first.etag)
        assert changed.etag != first.etag
        saved.create(draft("old"), NOW)
        saved.delete("old")
        left = list(saved.catalogue)
    reopened = SavedSegments(folder, "default")
    assert list(reopened.catalogue) == left
    assert names(reopened) == ["both", "engaged", "VIP > 90"]
    assert reopened.catalogue.get("both").text == 'in segment "VIP > 90" and in segment "engaged"'


def test_without_the_lock_nothing_is_saved(folder: Path) -> None:
    """A reader is told to open the folder for writing; it does not see later changes."""
    reader = SavedSegments(folder, "default")
    with pytest.raises(UserError, match="was opened for reading") as caught:
        reader.create(draft("vip"), NOW)
    assert caught.value.reason is Reason.CONFLICT
    with WriterLock(folder) as lock:
        SavedSegments(folder, "default", lock).create(draft("vip"), NOW)
    assert names(reader) == []
    assert names(SavedSegments(folder, "default")) == ["vip"]


def test_a_change_of_somebody_else_is_not_undone(folder: Path) -> None:
    """Who saves on the ground of an older state is refused, and then has the newer one."""
    with WriterLock(folder) as lock:
        one, other = (SavedSegments(folder, "default", lock) for _ in range(2))
        one.create(draft("first"), NOW)
        with pytest.raises(UserError, match="something else wrote it") as caught:
            other.create(draft("second"), NOW)
        assert caught.value.reason is Reason.CONFLICT
        assert names(other) == ["first"]
        other.create(draft("second"), NOW)
        assert names(SavedSegments(folder, "default")) == ["first", "second"]


@pytest.mark.parametrize("fault", [Fault.FULL, Fault.BROKEN])
def test_memory_and_disk_agree_after_every_failure(folder: Path, fault: Fault) -> None:
    """Whether a failed change took effect or not, what is answered is what a restart finds."""
    with WriterLock(folder) as lock:
        saved = SavedSegments(folder, "default", lock)
        saved.create(draft("first"), NOW)
        with Faults() as counting:
            saved.create(draft("probe"), NOW)
        saved.delete("probe")
        took_effect = 0
        for at in range(len(counting.steps)):
            kind = UserError if fault is Fault.FULL else CorruptionError
            with Faults(fault, at), pytest.raises(kind):
                saved.create(draft("new"), NOW)
            assert list(saved.catalogue) == list(SavedSegments(folder, "default").catalogue)
            if "new" in names(saved):
                took_effect += 1
                saved.delete("new")
        assert took_effect == 1  # only the sync of the folder comes after the rename


def test_many_threads(folder: Path) -> None:
    """Changes come one after the other, and none is lost."""
    with WriterLock(folder) as lock:
        saved = SavedSegments(folder, "default", lock)

        def create(first: int) -> None:
            for n in range(first, first + 4):
                saved.create(draft(f"segment {n}"), NOW + n)

        threads = [threading.Thread(target=create, args=(4 * i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    reopened = SavedSegments(folder, "default")
    assert list(reopened.catalogue) == list(saved.catalogue)
    assert len(reopened.catalogue) == reopened.catalogue.revision == 16


def test_the_page_lists_the_members_of_a_document() -> None:
    """The members that are stored are those that FORMAT.md explains."""
    page = (Path(definitions.__file__).parent / "FORMAT.md").read_text()
    section = page.partition("The members of a document:")[2].partition("\nA change")[0]
    listed = re.findall("`(\\w+)`", section)
    document = Definition.of(draft("x"), 1, NOW, NOW).to_document()
    assert listed == re.findall(r'"(\w+)": ', document)


def test_the_sample_of_format_1_stays_readable() -> None:
    """What the first version saved is read whole."""
    saved = SavedSegments(DATA / "v1", "sample")
    assert read_definitions(DATA / "v1", "sample").revision == 2
    both, vip = saved.catalogue
    assert (vip.name, vip.text) == ("VIP > 90", "city = Jakarta")
    assert (vip.description, vip.tags) == ("A note: 日本", ("win-back", "Q3"))
    assert (vip.created_at, vip.updated_at) == (NOW, NOW)
    assert both.uses == ("vip > 90",)
    assert saved.catalogue.needed(both.segment) == (vip,)
