"""Settings come from four places, and a wrong one stops the server."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from headcount.model.errors import Reason, UserError
from headcount.rpc.config import Config, is_loopback, load, names


def write(folder: Path, text: str) -> Path:
    """Return the path of a settings file."""
    path = folder / "headcount.toml"
    path.write_text(text)
    return path


def test_defaults_are_safe() -> None:
    """Without any settings the server listens on loopback only."""
    config = load()
    assert config == Config()
    assert is_loopback(config.server.listen)
    assert not config.server.insecure


def test_the_later_source_wins(tmp_path: Path) -> None:
    """Flags go over the environment, the environment over the file, the file over the defaults."""
    path = write(
        tmp_path,
        '[server]\nlisten = "127.0.0.1:1"\nmetrics = "127.0.0.1:11"\ngrace_seconds = 1\n'
        "[calls]\nquery_seconds = 1\n",
    )
    environ = {
        "HEADCOUNT__SERVER__LISTEN": "127.0.0.1:2",
        "HEADCOUNT__SERVER__METRICS": "127.0.0.1:22",
        "HOME": "/root",
    }
    flags = {"server.listen": "127.0.0.1:3", "server.metrics": None}
    config = load(path, environ, flags)
    assert config.server.listen == "127.0.0.1:3"
    assert config.server.metrics == "127.0.0.1:22"
    assert config.server.grace_seconds == 1.0
    assert config.calls.query_seconds == 1.0
    assert config.calls.stream_seconds == Config().calls.stream_seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", True), ("true", True), ("Yes", True), ("off", False), ("0", False)],
)
def test_the_environment_says_true_and_false_in_words(text: str, expected: bool) -> None:
    """A boolean in the environment may be written in the usual ways."""
    assert load(environ={"HEADCOUNT__SERVER__REFLECTION": text}).server.reflection is expected


@pytest.mark.parametrize(
    ("text", "reason", "field", "suggestion"),
    [
        ("[sever]\nlisten = ''", Reason.UNKNOWN_NAME, "[sever] listen", "server"),
        ("[server]\nlistn = ''", Reason.UNKNOWN_NAME, "[server] listn", "listen"),
        ("listen = ''", Reason.UNKNOWN_NAME, "headcount.toml", None),
        ("[server]\nlisten = 7070", Reason.TYPE_MISMATCH, "[server] listen", None),
        ("[server]\ninsecure = 1", Reason.TYPE_MISMATCH, "[server] insecure", None),
        ("[calls]\nqueries = 1.5", Reason.TYPE_MISMATCH, "[calls] queries", None),
        ("[calls]\nqueries = true", Reason.TYPE_MISMATCH, "[calls] queries", None),
        ("[calls]\nqueries = 0", Reason.INVALID_VALUE, "[calls] queries", None),
        ("[calls]\nquery_seconds = -1", Reason.INVALID_VALUE, "[calls] query_seconds", None),
        ("[calls]\nquery_seconds = nan", Reason.INVALID_VALUE, "[calls] query_seconds", None),
        ("[log]\nformat = 'jsn'", Reason.INVALID_VALUE, "log.format", "json"),
        ("[query]\ndepth = 65", Reason.INVALID_VALUE, None, None),
        ("[server", Reason.INVALID_FILE, "headcount.toml", None),
        ("[server]\nlisten = 'localhost'", Reason.INVALID_VALUE, None, None),
    ],
)
def test_a_wrong_setting_is_an_error_that_says_where(
    tmp_path: Path, text: str, reason: Reason, field: str | None, suggestion: str | None
) -> None:
    """Unknown keys, wrong types and impossible values are refused, with place and suggestion."""
    with pytest.raises(UserError) as caught:
        load(write(tmp_path, text))
    assert caught.value.reason is reason
    if field is not None:
        assert caught.value.field is not None
        assert caught.value.field.endswith(field)
    if suggestion is not None:
        assert suggestion in caught.value.suggestions


def test_a_misspelt_variable_is_an_error() -> None:
    """An unknown variable with our prefix is refused, and named as it was written."""
    with pytest.raises(UserError) as caught:
        load(environ={"HEADCOUNT__CALLS__QUERYSECONDS": "1"})
    assert caught.value.field == "environment variable HEADCOUNT__CALLS__QUERYSECONDS"
    assert caught.value.suggestions[0] == "query_seconds"


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A settings file that was named must be there."""
    with pytest.raises(UserError) as caught:
        load(tmp_path / "none.toml")
    assert caught.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize("setting", ["server.listen", "server.metrics"])
@pytest.mark.parametrize("address", ["0.0.0.0:7070", "[::]:7070", "10.0.0.1:1", "example.com:1"])
def test_an_address_that_others_reach_needs_consent(setting: str, address: str) -> None:
    """Without `insecure` only loopback addresses are taken."""
    with pytest.raises(UserError) as caught:
        load(flags={setting: address})
    assert caught.value.field == setting
    assert "insecure" in caught.value.message
    load(flags={setting: address, "server.insecure": True})


@pytest.mark.parametrize(
    "address", ["127.0.0.1:0", "127.1.2.3:9", "[::1]:7070", "localhost:7070", "unix:/tmp/socket"]
)
def test_loopback_addresses_need_no_consent(address: str) -> None:
    """What only this machine reaches is taken as it is."""
    assert load(flags={"server.listen": address}).server.listen == address


def test_every_setting_has_a_name_and_a_default() -> None:
    """`names` lists each setting once, and each can be set from the environment."""
    listed = names()
    assert len(listed) == len(set(listed))
    default = Config()
    for name in listed:
        section, _, key = name.partition(".")
        value = getattr(getattr(default, section), key)
        environ = {f"HEADCOUNT__{section.upper()}__{key.upper()}": str(value)}
        assert load(environ=environ) == default


def test_settings_are_values() -> None:
    """A configuration cannot be changed once it is read."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        load().server.listen = "0.0.0.0:1"  # type: ignore[misc]
