"""Flipped bits and cut files: each is detected and named."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.model.errors import CorruptionError, HeadcountError
from headcount.storage import snapshot, tables
from headcount.storage.folder import generation_path
from headcount.storage.snapshot import Snapshot
from headcount.storage.tables import Layout
from support import stored

CHUNK = stored.SMALL.chunk_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a small workspace."""
    stored.write(tmp_path, 1)
    return tmp_path


def flips(path: Path, seed: int, step: int = 1) -> Iterator[int]:
    """Flip a random bit of each byte in turn, yielding its place while it is flipped."""
    chance = random.Random(seed)
    good = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for place in range(0, len(good), step):
            file.seek(place)
            file.write(bytes([good[place] ^ 1 << chance.randrange(8)]))
            yield place
            file.seek(place)
            file.write(good[place : place + 1])
    assert path.read_bytes() == good


def owners(path: Path) -> dict[int, str]:
    """Return which part the bytes of a file belong to, where that can be told by their content."""
    data = path.read_bytes()
    found: dict[int, str] = {}
    for number in stored.BLOCKS:
        for part in stored.block(number, 1):
            start = data.find(bytes(part.data)) if part.size >= 20 else -1
            if start >= 0 and data.count(bytes(part.data)) == 1:
                owner = tables.label(number, part.name)
                found.update((start + i, owner) for i in range(part.size))
    return found


def test_every_byte_of_a_generation(folder: Path) -> None:
    """One flipped bit anywhere is damage: with the file, the chunk, and the part if one is hit."""
    path = generation_path(folder, "default", 1)
    belongs = owners(path)
    assert len(set(belongs.values())) >= 10
    for place in flips(path, seed=1):
        with pytest.raises(CorruptionError) as caught:
            snapshot.open_snapshot(folder, "default")
        assert caught.value.path == path
        assert caught.value.offset == place // CHUNK * CHUNK
        assert caught.value.part == belongs.get(place, caught.value.part)
    assert stored.version_of(folder) == 1


def test_every_byte_of_the_manifest(folder: Path) -> None:
    """One flipped bit anywhere in the manifest is damage of the manifest, for a writer too."""
    path = folder / "manifest.json"
    for _ in flips(path, seed=2):
        with pytest.raises(CorruptionError) as caught:
            snapshot.open_snapshot(folder, "default")
        assert caught.value.path == path
        with pytest.raises(CorruptionError):
            stored.write(folder, 2)
    assert stored.version_of(folder) == 1


def test_the_lock_holds_no_data(folder: Path) -> None:
    """Flips in the one file without a checksum change no answer."""
    for _ in flips(folder / "lock", seed=3):
        assert stored.version_of(folder) == 1


def test_the_layout_of_real_workspaces(tmp_path: Path) -> None:
    """With full-size pages, pieces and chunks, summed in threads, flips are found as well."""
    stored.write(tmp_path, 1, layout=Layout(), size=4_000_000)
    path = generation_path(tmp_path, "default", 1)
    size = path.stat().st_size
    assert size > 12_000_000
    named = 0
    for place in flips(path, seed=4, step=size // 40):
        with pytest.raises(CorruptionError) as caught:
            snapshot.open_snapshot(tmp_path, "default")
        assert caught.value.offset == place >> 20 << 20
        named += caught.value.part is not None
    assert named > 30  # the others hit what SQLite leaves unused


def test_without_the_checksums_of_the_file_flips_go_unnoticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: what the chunks protect is not protected by SQLite or the parts."""
    monkeypatch.setattr(Snapshot, "_verify", lambda *_: None)
    path = generation_path(folder, "default", 1)
    unnoticed = 0
    for _ in flips(path, seed=5, step=7):
        try:
            unnoticed += stored.version_of(folder) == 1
        except HeadcountError:
            continue
    assert unnoticed > 100


def test_without_any_checksum_flips_give_wrong_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with the sums of the parts off as well, wrong bytes are handed out."""
    path = generation_path(folder, "default", 1)
    places = sorted(owners(path))
    monkeypatch.setattr(Snapshot, "_verify", lambda *_: None)
    monkeypatch.setattr(tables, "part_sum", SumOfAnything())
    wrong = 0
    for place in flips(path, seed=6):
        if place in places:
            _, found = stored.read(folder)
            wrong += found != stored.expected(1)
    assert wrong == len(places) > 1000


class SumOfAnything(int):
    """A checksum that is equal to every other."""

    def __call__(self, *_: object) -> SumOfAnything:
        return self

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


def test_a_file_cut_anywhere(folder: Path) -> None:
    """A shortened or lengthened generation is named with what was expected."""
    path = generation_path(folder, "default", 1)
    good = path.read_bytes()
    for size in [*range(0, len(good), 97), len(good) - 1, len(good) + 1, 2 * len(good)]:
        path.write_bytes((good * 2)[:size])
        with pytest.raises(CorruptionError, match=f"it has {size} bytes, and {len(good)}") as e:
            snapshot.open_snapshot(folder, "default")
        assert (e.value.path, e.value.offset) == (path, min(size, len(good)))


def test_damage_of_many_parts_is_summed_up(folder: Path) -> None:
    """The first part is the error's, three are named, the rest counted."""
    path = generation_path(folder, "default", 1)
    good = bytearray(path.read_bytes())
    noise = [bytes(p.data) for n in stored.BLOCKS for p in stored.block(n, 1) if p.size >= 20]
    for data in noise:
        place = good.find(data)
        if place >= 0:
            good[place] ^= 255
    path.write_bytes(good)
    with pytest.raises(CorruptionError, match=r"damaged: block 0, .*, .* and \d+ more") as caught:
        snapshot.open_snapshot(folder, "default")
    assert caught.value.part is not None
    assert caught.value.part.startswith("block 0, part ")


def test_damage_between_verifying_and_reading(folder: Path) -> None:
    """A part that changes after the file was verified is caught by its own sum."""
    path = generation_path(folder, "default", 1)
    noise = bytes(stored.block(3, 1)[-1].data)
    with snapshot.open_snapshot(folder, "default") as opened:
        with path.open("r+b") as file:
            file.seek(path.read_bytes().find(noise))
            file.write(bytes([noise[0] ^ 1]))
        assert opened.block(0)
        with pytest.raises(CorruptionError, match="since its checksums were verified") as caught:
            opened.block(3)
    assert caught.value.part == "block 3, part noise"


def test_damage_is_not_copied(folder: Path) -> None:
    """A writer that would copy a damaged block refuses; one that replaces it goes on."""
    path = generation_path(folder, "default", 1)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptionError):
        stored.write(folder, 2, unchanged=[1])
    assert path.read_bytes() == data
    stored.write(folder, 2)
    assert stored.version_of(folder) == 2


def test_a_generation_that_is_a_folder(folder: Path) -> None:
    """Whatever stands in the file's place is not read as one."""
    path = generation_path(folder, "default", 1)
    path.unlink()
    path.mkdir()
    with pytest.raises(CorruptionError):
        snapshot.open_snapshot(folder, "default")
