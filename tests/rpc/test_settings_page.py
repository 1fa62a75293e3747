"""The page about the server lists every setting with its default, and what else it promises."""

from __future__ import annotations

import re
from pathlib import Path

from headcount.rpc.config import Config, load, names
from headcount.v1 import segments_pb2

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "server.md").read_text()
ROW = re.compile(r"^\| `([a-z]+\.[a-z_]+)` \| (?:`([^`]*)`)? ?\|", re.MULTILINE)


def test_every_setting_is_listed_once_with_its_default() -> None:
    """The table of settings is the settings, in their order."""
    listed = ROW.findall(PAGE)
    assert [name for name, _ in listed] == names()
    for name, default in listed:
        section, _, key = name.partition(".")
        value = getattr(getattr(Config(), section), key)
        assert default == (str(value).lower() if isinstance(value, bool) else str(value)), name


def test_the_example_is_a_settings_file(tmp_path: Path) -> None:
    """The TOML on the page can be read."""
    example = PAGE.partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "headcount.toml"
    path.write_text(example)
    config = load(path)
    assert config.server.data == "/srv/headcount"
    assert config.calls.query_seconds == 5.0


def test_every_format_is_described() -> None:
    """Each form in which members stream has a row."""
    for name in segments_pb2.MemberFormat.keys():  # noqa: SIM118 (an enum, not a dict)
        assert f"`{name}`" in PAGE or name.endswith("UNSPECIFIED")
