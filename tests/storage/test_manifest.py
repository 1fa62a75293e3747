"""The manifest."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import manifest
from headcount.storage.manifest import Generation, Manifest

PATH = Path("/data/manifest.json")
SAMPLE = Manifest({"default": Generation(7, 2500, 1000, (0xABCDEF, 0, 0xFFFFFFFF))})
NAMES = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,9}", fullmatch=True)


@st.composite
def generations(draw: st.DrawFn) -> Generation:
    """Draw a generation whose sums fit its size."""
    chunk = draw(st.integers(1, 1 << 20))
    sums = draw(st.lists(st.integers(0, 2**32 - 1), max_size=5))
    size = draw(st.integers(max(0, len(sums) - 1) * chunk + 1, len(sums) * chunk)) if sums else 0
    return Generation(draw(st.integers(1, 10**7)), size, chunk, tuple(sums))


def sealed(document: object) -> bytes:
    """Return a document with a right checksum in front, as a manifest has it."""
    rest = json.dumps(document).removeprefix("{").encode()
    return b'{"crc32": "%08x",' % zlib.crc32(rest) + rest


@given(st.dictionaries(NAMES, generations(), max_size=4))
def test_round_trip(workspaces: dict[str, Generation]) -> None:
    """What is rendered is parsed again, and is valid JSON."""
    data = manifest.render(Manifest(workspaces))
    assert manifest.parse(data, PATH) == Manifest(workspaces)
    assert json.loads(data)["format"] == manifest.FORMAT


def test_every_flipped_bit_is_damage() -> None:
    """Each bit of each byte is covered, those of the checksum's own digits too."""
    data = manifest.render(SAMPLE)
    for place in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[place] ^= 1 << bit
            with pytest.raises(CorruptionError) as caught:
                manifest.parse(bytes(damaged), PATH)
            assert caught.value.path == PATH


def test_every_cut_and_every_tail_is_damage() -> None:
    """A manifest cut at any byte, or with something behind it, is not read."""
    data = manifest.render(SAMPLE)
    for end in range(len(data)):
        with pytest.raises(CorruptionError):
            manifest.parse(data[:end], PATH)
    with pytest.raises(CorruptionError):
        manifest.parse(data + b"\n", PATH)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"name": "My web app"}', b"SQLite format 3\0"])
def test_a_foreign_file_is_said_to_be_one(data: bytes) -> None:
    """Something that never was a manifest is told apart in words."""
    with pytest.raises(CorruptionError, match="not written by Headcount") as caught:
        manifest.parse(data, PATH)
    assert caught.value.offset == 0


def test_a_newer_format_is_no_damage() -> None:
    """A folder of a newer version asks for an upgrade, whatever else is in it."""
    with pytest.raises(UserError, match=r"format 99.*reads up to format 3.*Upgrade") as caught:
        manifest.parse(sealed({"format": 99, "workspaces": "in the cloud"}), PATH)
    assert caught.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    "document",
    [
        {"format": 1},
        {"format": 0, "workspaces": {}},
        {"format": "one", "workspaces": {}},
        {"format": 1, "workspaces": []},
        {"format": 1, "workspaces": {"w": {}}},
        {"format": 1, "workspaces": {"w": 3}},
        {
            "format": 1,
            "workspaces": {
                "w": {"generation": 1, "bytes": 9, "chunk_bytes": 4, "chunk_crc32": "0 0"}
            },
        },
    ],
)
def test_a_right_checksum_over_nonsense_is_damage(document: object) -> None:
    """Something edited it and mended the checksum: said, not guessed around."""
    with pytest.raises(CorruptionError, match="changed by something other than Headcount"):
        manifest.parse(sealed(document), PATH)


def test_names_in_a_manifest_are_checked() -> None:
    """No manifest leads out of the folder."""
    entry = {"generation": 1, "bytes": 0, "chunk_bytes": 4, "chunk_crc32": ""}
    with pytest.raises(UserError, match="begins with"):
        manifest.parse(sealed({"format": 1, "workspaces": {"../../etc": entry}}), PATH)


def test_reading_where_there_is_nothing(tmp_path: Path) -> None:
    """No folder, a file, an empty folder, and a lost manifest each get their own answer."""
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "lost" / "workspaces").mkdir(parents=True)
    for name, reason in [
        ("none", "there is no such folder"),
        ("file", "it is a file"),
        ("empty", "it holds no Headcount data"),
    ]:
        with pytest.raises(UserError, match=reason) as caught:
            manifest.list_workspaces(tmp_path / name)
        assert caught.value.reason is Reason.NOT_FOUND
    with pytest.raises(CorruptionError, match="missing, though") as damage:
        manifest.list_workspaces(tmp_path / "lost")
    assert damage.value.path == tmp_path / "lost" / "manifest.json"


def test_publishing_replaces(tmp_path: Path) -> None:
    """What was prepared counts once it is published, and not before."""
    assert manifest.begin(tmp_path) == Manifest()
    manifest.prepare(tmp_path, SAMPLE)
    assert manifest.list_workspaces(tmp_path) == ()
    manifest.publish(tmp_path)
    assert manifest.read(tmp_path) == SAMPLE
    assert manifest.list_workspaces(tmp_path) == ("default",)
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]
