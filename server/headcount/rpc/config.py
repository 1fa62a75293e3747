"""
The server's settings: what they are, and where they come from.

    flags  >  HEADCOUNT__SECTION__KEY in the environment  >  the TOML file  >  the defaults here

Each section is a frozen dataclass; its annotations are the types, its defaults the defaults, and
nothing else lists the settings. A key that no section has is an error with the nearest one that
exists, wherever it was written: a misspelt limit that is silently not applied is worse than a
server that does not start. Numbers must be above zero. Units are in the names.

It is not the command line: that passes its flags in, and `os.environ` too.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from headcount.live.settings import WriterSettings
from headcount.members import pages, pinned
from headcount.model.errors import Reason, UserError
from headcount.model.schema import nearest
from headcount.query import results, workers
from headcount.query.limits import Limits
from headcount.segments.watch.watcher import WatcherSettings

ENVIRONMENT_PREFIX = "HEADCOUNT__"

_TRUE = frozenset(("1", "true", "yes", "on"))
_FALSE = frozenset(("0", "false", "no", "off"))
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server listens and how it stops."""

    data: str = ""  # the data folder
    listen: str = "127.0.0.1:7070"
    insecure: bool = False  # allow an address that other machines reach, without encryption
    reflection: bool = True  # let tools such as grpcurl ask for the protos
    metrics: str = ""  # address of the Prometheus page, such as 127.0.0.1:7071; none if empty
    grace_seconds: float = 10.0  # how long calls may go on after SIGTERM
    backups: str = ""  # the folder in which `Admin.Backup` makes folders; without one it is refused


@dataclass(frozen=True, slots=True)
class CallSettings:
    """What one call may cost."""

    query_seconds: float = 10.0  # work on one call, however long its own deadline is
    query_threads: int = workers.DEFAULT_THREADS  # that work on one long count while others idle
    stream_seconds: float = 3600.0  # one stream, its reader's time included
    stall_seconds: float = 30.0  # without a reader taking, or a sender sending, a message
    care_seconds: float = 3600.0  # work on a Compact, Backup, UpdateSchema, ...
    request_bytes: int = 4 << 20  # gRPC's own default
    queries: int = 10_000  # in one CountMany
    page_size: int = pages.PAGE_SIZE  # when a request names none
    page_size_max: int = pages.PAGE_SIZE_MAX
    page_seconds: float = pinned.SECONDS  # that the version of a page is kept for the next one
    page_versions: int = pinned.VERSIONS  # that are kept at once


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """How many calls are worked on, and how many more may wait, before calls are refused."""

    unary_threads: int = 8
    unary_waiting: int = 256
    stream_threads: int = 8
    stream_waiting: int = 8
    write_threads: int = 32
    write_waiting: int = 256
    write_streams: int = 8  # of `Contacts.Write`; none waits
    care_threads: int = 2
    care_waiting: int = 8


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What one client may hold open."""

    connections: int = 1_000
    streams: int = 2_000  # calls at once on one connection; more are reset without a reason
    handshake_seconds: float = 5.0  # until a silent connection is closed
    idle_seconds: float = 300.0
    age_seconds: float = 3600.0
    metadata_bytes: int = 8 << 10


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """What one write may hold, how many wait, and when what they leave behind is compacted."""

    records: int = 100_000  # in one request, or in one message of a stream
    refusals: int = 1_000  # refused records that an answer tells the reasons of
    in_flight: int = 16  # messages of one stream that are not answered yet
    waiting_records: int = 1_000_000  # that wait to be written, of each workspace
    compact_contacts: int = 200_000  # a compaction is due when so many contacts have changed,
    compact_events: int = 2_000_000  # so many events were recorded,
    compact_commits: int = 80_000  # so many commits were made, which a start reads in some 8 s,
    compact_log_bytes: int = 1 << 30  # or the log has grown so large

    def writer(self) -> WriterSettings:
        """Return what the writer of each workspace is held to."""
        return WriterSettings(
            waiting_records=self.waiting_records,
            recent_contacts=self.compact_contacts,
            newer_events=self.compact_events,
            log_commits=self.compact_commits,
            log_bytes=self.compact_log_bytes,
        )


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """What is kept of one query for the next, in all workspaces together."""

    remember: bool = True  # the rows of conditions; without, each query starts anew
    results_bytes: int = results.DEFAULT_BYTES  # of those rows; the least used go first


@dataclass(frozen=True, slots=True)
class AudienceSettings:
    """Where audiences are frozen."""

    folder: str = ""  # a folder for each workspace in it; no audience can be frozen if empty


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What watches may cost, and how long they keep what happened."""

    watches: int = 2_000  # in one workspace
    streams: int = 64  # of `Watches.Watch`; none waits
    bookmark_seconds: float = 5.0  # after so long without a transition a stream says how far it is
    history: int = 1_000_000  # transitions that one watch keeps
    history_days: float = 30.0
    batches_behind: int = 256  # more that wait to be followed are taken as one

    def watcher(self) -> WatcherSettings:
        """Return what the engine is told of these."""
        return WatcherSettings(
            watches=self.watches,
            history=self.history,
            history_age=int(self.history_days * 86_400_000_000),
            waiting_commits=self.batches_behind,
        )


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where watches may deliver to, and how often they try."""

    allow: str = ""  # hosts, or host:port, separated by commas; watches deliver nowhere if empty
    transitions: int = 500  # in one message
    threads: int = 8  # endpoints that are waited for at once
    seconds: float = 10.0  # until an endpoint has answered
    attempts: int = 12  # until a message is a dead letter
    wait_seconds: float = 1.0  # before the second attempt; doubles with each
    wait_max: float = 3600.0
    poll_seconds: float = 0.2  # between looks at what there is to deliver


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to stderr."""

    format: str = "json"  # or text
    level: str = "info"  # debug, info, warning, error


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, by section. Immutable; made by `load`."""

    server: ServerSettings = field(default_factory=ServerSettings)
    calls: CallSettings = field(default_factory=CallSettings)
    admission: AdmissionSettings = field(default_factory=AdmissionSettings)
    connections: ConnectionSettings = field(default_factory=ConnectionSettings)
    writes: WriteSettings = field(default_factory=WriteSettings)
    query: Limits = field(default_factory=Limits)
    memory: MemorySettings = field(default_factory=MemorySettings)
    audiences: AudienceSettings = field(default_factory=AudienceSettings)
    watches: WatchSettings = field(default_factory=WatchSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    log: LogSettings = field(default_factory=LogSettings)

    def __post_init__(self) -> None:
        """Refuse what each setting allows by itself, but not with the others."""
        _one_of("log.format", self.log.format, ("json", "text"))
        _one_of("log.level", self.log.level, ("debug", "info", "warning", "error"))
        for name, address in (("listen", self.server.listen), ("metrics", self.server.metrics)):
            if address and not is_loopback(address) and not self.server.insecure:
                raise UserError(
                    Reason.INVALID_VALUE,
                    f"server.{name} is {address}, which other machines can reach, and nothing is"
                    " encrypted; expected a loopback address such as 127.0.0.1, or"
                    " server.insecure = true (--insecure)",
                    field=f"server.{name}",
                )


@dataclass(frozen=True, slots=True)
class _Setting:
    """One value that was given, and where."""

    value: object
    source: str  # how the user wrote it: `[server] listen` of a file, an environment variable, ...


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Config:
    """
    Return the settings of a TOML file, environment variables and flags, the later the stronger.

    *flags* maps `section.key` to a value; None is a flag that was not given.

    Raises:
        UserError: an unknown section or key, a value of another type, or one out of range.
    """
    given: dict[tuple[str, str], _Setting] = {}
    if path is not None:
        given.update(_from_file(path))
    for name, value in (environ or {}).items():
        if name.startswith(ENVIRONMENT_PREFIX):
            section, _, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
            given[section, key] = _Setting(value, f"environment variable {name}")
    for name, flag in (flags or {}).items():
        if flag is not None:
            section, _, key = name.partition(".")
            given[section, key] = _Setting(flag, f"option {name}")
    return _build(given)


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach `host:port` (or a unix socket)."""
    if address.startswith("unix:"):
        return True
    host = split_address(address)[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def split_address(address: str) -> tuple[str, int]:
    """
    Return host and port of `host:port`; an IPv6 host stands in brackets, which are taken off.

    Raises:
        UserError: there is no port, or it is not one.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UserError(
            Reason.INVALID_VALUE, f"expected HOST:PORT such as 127.0.0.1:7070, found {address!r}"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _from_file(path: Path) -> dict[tuple[str, str], _Setting]:
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(Reason.INVALID_FILE, f"expected TOML: {error}", field=str(path)) from error
    except OSError as error:
        raise UserError(
            Reason.NOT_FOUND, f"cannot read settings: {error.strerror}", field=str(path)
        ) from error
    found = {}
    for section, values in document.items():
        if not isinstance(values, dict):
            raise UserError(
                Reason.UNKNOWN_NAME,
                f"expected sections such as [server], found the key `{section}` outside of one",
                field=str(path),
                suggestions=nearest(section, _sections()),
            )
        for key, value in values.items():
            found[section, key] = _Setting(value, f"{path}: [{section}] {key}")
    return found


def _sections() -> dict[str, type[Any]]:
    return get_type_hints(Config)


def _build(given: Mapping[tuple[str, str], _Setting]) -> Config:
    sections = _sections()
    values: dict[str, dict[str, object]] = {name: {} for name in sections}
    for (section, key), setting in given.items():
        if section not in sections:
            raise UserError(
                Reason.UNKNOWN_NAME,
                f"there is no section `{section}`; there are {', '.join(sections)}",
                field=setting.source,
                suggestions=nearest(section, sections),
            )
        types = get_type_hints(sections[section])
        if key not in types:
            raise UserError(
                Reason.UNKNOWN_NAME,
                f"section `{section}` has no setting `{key}`",
                field=setting.source,
                suggestions=nearest(key, types),
            )
        values[section][key] = _typed(setting, types[key])
    return Config(**{name: kind(**values[name]) for name, kind in sections.items()})


def _typed(setting: _Setting, kind: type[Any]) -> object:
    value = setting.value
    if isinstance(value, str) and kind is not str:
        value = _parse(value, kind)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise UserError(
            Reason.TYPE_MISMATCH,
            f"expected {_WORDS[kind]}, found {setting.value!r}",
            field=setting.source,
        )
    if isinstance(value, (int, float)) and kind is not bool and not 0 < value < float("inf"):
        raise UserError(
            Reason.INVALID_VALUE,
            f"expected a number above 0, found {setting.value!r}",
            field=setting.source,
        )
    return value


def _parse(text: str, kind: type[Any]) -> object:
    """Return what an environment variable's *text* says, or the text when it says no *kind*."""
    if kind is bool:
        folded = text.strip().lower()
        return True if folded in _TRUE else False if folded in _FALSE else text
    try:
        parsed: object = kind(text)
    except ValueError:
        return text
    return parsed


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(
            Reason.INVALID_VALUE,
            f"expected {' or '.join(allowed)}, found {value!r}",
            field=name,
            suggestions=nearest(value, allowed),
        )


def names() -> list[str]:
    """Return every setting as `section.key`, in the order of declaration."""
    return [f"{name}.{f.name}" for name, kind in _sections().items() for f in fields(kind)]
