"""
The workspaces a server has open, by name: of each the one view that a call reads, what is saved,
and who writes.

A handler asks once and keeps what it gets, so that one call reads one version. A workspace that
does not exist is refused without naming those that do: nothing crosses workspaces.

When the log of a workspace fails, nobody knows what is in it until it is read anew: `on_failure` is
told, and the server ends. The other workspaces share its disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from headcount.care import workspaces as care
from headcount.caretaker import Caretaker
from headcount.index.view import Version, View
from headcount.index.workspace import open_view
from headcount.live.commit import Writer
from headcount.live.courtesy import Courtesy
from headcount.live.settings import WriterSettings
from headcount.live.writer import LiveWorkspace
from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.model.schema import Schema
from headcount.query.engine import Engine
from headcount.query.results import Results
from headcount.query.workers import ALONE, Workers
from headcount.segments.history import Record, no_record
from headcount.segments.keeper import Keeper
from headcount.segments.store import SavedSegments
from headcount.segments.watch.record import record
from headcount.segments.watch.watcher import Watcher, WatcherSettings
from headcount.storage import watches
from headcount.storage.folder import WriterLock
from headcount.storage.manifest import list_workspaces
from headcount.storage.watches import WatchStore

DEFAULT = "default"


class Workspaces:
    """Open workspaces by name. Any thread may use them."""

    def __init__(
        self,
        keepers: Mapping[str, Keeper],
        writers: Mapping[str, Writer] | None = None,
        home: Home | None = None,
        unusable: Mapping[str, UserError] | None = None,
    ) -> None:
        """Without a *home* no workspace is made or dropped; *unusable* ones are only refused."""
        self.unusable = dict(unusable or {})
        self._keepers = dict(keepers)
        self._writers = dict(writers or {})
        self._caretakers = {
            name: home.caretaker(name, writer)
            for name, writer in self._writers.items()
            if home is not None and isinstance(writer, LiveWorkspace)
        }
        self._home = home
        self.courtesy = Courtesy() if home is None else home.courtesy
        self._changing = Lock()  # held while a workspace is made or dropped

    @property
    def names(self) -> list[str]:
        """Return the names of the workspaces, sorted."""
        return sorted(self._keepers)

    @property
    def folder(self) -> Path | None:
        """Return the data folder, if there is one that is written to."""
        return None if self._home is None else self._home.folder

    def keeper(self, name: str) -> Keeper:
        """
        Return the engine of a workspace with what is saved in it; an empty *name* is `default`.

        Raises:
            UserError: no such workspace (NOT_FOUND), or one that could not be opened (CONFLICT).
        """
        found = self._keepers.get(name or DEFAULT)
        if found is None and (name or DEFAULT) in self.unusable:
            raise UserError(
                Reason.CONFLICT,
                f"workspace `{name or DEFAULT}` could not be opened when the server started:"
                f" {self.unusable[name or DEFAULT].message}; stop the server and load a schema that"
                " is right",
                field="workspace",
            )
        if found is None:
            raise UserError(
                Reason.NOT_FOUND,
                f"there is no workspace `{name or DEFAULT}`",
                field="workspace",
            )
        return found

    def read(self, name: str, at_least: Version | None = None) -> Engine:
        """
        Return the engine over the current view of a workspace; an empty *name* is `default`.

        Raises:
            UserError: no such workspace (NOT_FOUND), or its version is older than *at_least*
                (STALE_READ): the only sign that a write which was acknowledged has been lost.
        """
        found = self.keeper(name).engine
        _refuse_older(found.view.version, at_least)
        return found

    def writer(self, name: str, at_least: Version | None = None) -> Writer:
        """
        Return what writes to a workspace; an empty *name* is `default`.

        Raises:
            UserError: no such workspace (NOT_FOUND), one that is in memory only or was made anew
                since *at_least* (CONFLICT), or one that is older than that (STALE_READ).
        """
        found = self._writers.get(name or DEFAULT)
        current = (self.keeper(name) if found is None else found).view.version
        _refuse_older(current, at_least)
        if at_least is not None and at_least.epoch != current.epoch:
            raise UserError(
                Reason.CONFLICT,
                f"workspace `{name or DEFAULT}` was dropped and made again, or restored, since this"
                f" client last read it: it is at version {current}, and the client has seen"
                f" {at_least}; nothing was written. If this is meant for the new one, read from it"
                " first, or begin with a new client",
                field="min_version",
            )
        if found is None:
            raise _in_memory()
        return found

    def watcher(self, name: str) -> Watcher:
        """Return who follows a workspace in a data folder; raises as `writer`."""
        self.writer(name)
        found = None if self._home is None else self._home.watchers.get(name or DEFAULT)
        if found is None:
            raise _in_memory()
        return found

    def record(self, name: str, watch: str) -> Record:
        """
        Return what is kept of a watch up to now.

        Raises:
            UserError: no such workspace or watch (NOT_FOUND).
        """
        self.keeper(name)
        watcher = None if self._home is None else self._home.watchers.get(name or DEFAULT)
        if watcher is None:
            return no_record(name, watch)
        watcher.step()
        return record(watcher.get(watch), watcher.store)

    def copy_watches(self, name: str, to: Path) -> None:
        """Write the watches of a workspace, as they are now, into the folder *to*."""
        self.watcher(name).store.copy_to(to / watches.FILE)

    def watchers(self) -> list[Watcher]:
        """Return who follows each workspace that is written to."""
        return [] if self._home is None else list(self._home.watchers.values())

    def caretaker(self, name: str, at_least: Version | None = None) -> Caretaker:
        """Return who cares for a workspace in a data folder; raises as `writer`."""
        self.writer(name, at_least)
        found = self._caretakers.get(name or DEFAULT)
        if found is None:
            raise _in_memory()
        return found

    def create(self, name: str, schema: Schema) -> View:
        """
        Make an empty workspace and open it.

        Raises:
            UserError: ALREADY_EXISTS; INVALID_VALUE, nothing can be called this; CONFLICT, there is
                no data folder.
        """
        with self._changing:
            if self._home is None:
                raise _in_memory()
            care.create(self._home.folder, name, schema, self._home.lock, epoch=self._home.clock())
            live, keeper = self._home.opened(name)
            self._caretakers[name] = self._home.caretaker(name, live)
            self._writers[name], self._keepers[name] = live, keeper
            self._caretakers[name].expire(live.instant())  # so that events that are old are refused
            return live.view

    def drop(self, name: str) -> None:
        """
        Remove a workspace for good; calls that read it end well, streams of watches with NOT_FOUND.

        Raises:
            UserError: NOT_FOUND; CONFLICT, there is no data folder.
        """
        with self._changing:
            self.keeper(name)
            if self._home is None:
                raise _in_memory()
            caretaker = self._caretakers.pop(name)
            del self._keepers[name], self._writers[name]
            watcher = self._home.watchers.pop(name)
            watcher.close()
            message = f"there is no workspace `{name}` any more: it was dropped"
            watcher.end(UserError(Reason.NOT_FOUND, message, field="workspace"))
            caretaker.live.close()
            care.drop(self._home.folder, name, self._home.lock)

    def check_files(self, name: str) -> list[str]:
        """Return what is wrong with the log and the watches of a workspace, as they lie there."""
        wrong: list[str] = []
        caretaker = self._caretakers.get(name or DEFAULT)
        for check in (
            ()
            if caretaker is None
            else (
                caretaker.live.check_log,
                self.watcher(name).store.check,
            )
        ):
            try:
                check()
            except CorruptionError as error:
                wrong.append(str(error))
        return wrong

    def views(self) -> dict[str, View]:
        """Return the current view of each workspace."""
        return {name: keeper.engine.view for name, keeper in sorted(self._keepers.items())}

    def sizes(self) -> dict[str, int]:
        """Return the number of contacts of each workspace."""
        return {name: view.live_count for name, view in self.views().items()}

    def caretakers(self) -> list[Caretaker]:
        """Return who cares for each workspace in a data folder, by name."""
        return [caretaker for _, caretaker in sorted(self._caretakers.items())]

    def on_failure(self, told: Callable[[BaseException], None]) -> None:
        """Tell *told* when a writer has failed, in its thread; at once if one has."""
        if self._home is not None:
            self._home.told = told
            for error in self._home.failures:
                told(error)

    def close(self) -> None:
        """Write what waits, and close what is written to."""
        with self._changing:
            for watcher in self.watchers():
                watcher.close()
            for caretaker in self._caretakers.values():
                caretaker.live.close()


@dataclass(eq=False)
class Home:
    """A data folder whose lock is held, and what its workspaces are opened with."""

    folder: Path
    lock: WriterLock
    results: Results
    clock: Callable[[], int]
    settings: WriterSettings
    watching: WatcherSettings = WatcherSettings()  # noqa: RUF009 - frozen
    workers: Workers = ALONE

    def __post_init__(self) -> None:
        """Begin without a failure."""
        self.watchers: dict[str, Watcher] = {}
        self.courtesy = Courtesy(sleep=time.sleep, clock=time.perf_counter)
        self.failures: list[BaseException] = []
        self.told: Callable[[BaseException], None] = self.failures.append

    def caretaker(self, name: str, live: LiveWorkspace) -> Caretaker:
        """Return who cares for a workspace that was opened here."""
        watcher = self.watchers[name]
        return Caretaker(self.folder, live, watcher.checkpoint, watcher.store.erase)

    def opened(self, name: str) -> tuple[LiveWorkspace, Keeper]:
        """Return a workspace, open for reading and writing, and watched."""
        store = SavedSegments(self.folder, name, self.lock)
        with ExitStack() as undo:
            kept = WatchStore(self.folder, name, self.lock)
            undo.callback(kept.close)
            watcher = Watcher(
                name,
                kept,
                now=lambda: live.instant(),
                saved=lambda: store.catalogue,
                current=lambda: live.view,
                on_failure=lambda error: self.told(error),
                settings=self.watching,
                results=self.results,
            )
            live = LiveWorkspace.open(
                self.folder,
                name,
                self.lock,
                clock=self.clock,
                settings=self.settings,
                on_failure=lambda error: self.told(error),
                follow_from=watcher.follow_from,
                follower=watcher.replay,
                courtesy=self.courtesy,
            )
            undo.callback(live.close)
            engine = Engine(live.view, self.results, workers=self.workers)
            keeper = Keeper(engine, store, lambda: live.view)
            watcher.begin(live.follow(watcher.follow))
            watcher.start()
            self.watchers[name] = watcher
            undo.pop_all()
        return live, keeper


def open_workspaces(
    folder: Path,
    lock: WriterLock | None = None,
    results: Results | None = None,
    clock: Callable[[], int] | None = None,
    settings: WriterSettings | None = None,
    watching: WatcherSettings | None = None,
    workers: Workers = ALONE,
) -> Workspaces:
    """
    Open every workspace of a data folder; the first answer comes after the last one.

    One that means nothing to this version (a calculated field of its schema does not fit) is kept
    as `unusable`, and the others are opened: it is their server too.

    They can be written to if the folder's *lock* is held, for as long as it is, and there is a
    *clock* (µs since 1970). All workspaces share *results*, or a memory of the default size, and
    *workers*, which help with long counts.

    Raises:
        UserError: there is no such folder, or none of its workspaces can be used: a newer Headcount
            wrote it, or a calculated field of a schema means nothing.
        CorruptionError: a file is damaged.
    """
    results = Results() if results is None else results
    names = list_workspaces(folder)
    if lock is None or clock is None:
        asked = results, workers
        return _usable(names, lambda name: (None, _read_only(folder, name, lock, *asked)))
    home = Home(
        folder,
        lock,
        results,
        clock,
        settings or WriterSettings(),
        watching or WatcherSettings(),
        workers,
    )
    return _usable(names, home.opened, home)


def _usable(
    names: Iterable[str],
    opened: Callable[[str], tuple[LiveWorkspace | None, Keeper]],
    home: Home | None = None,
) -> Workspaces:
    """Return the workspaces that can be *opened*; where none can, raise what is wrong."""
    keepers: dict[str, Keeper] = {}
    writers: dict[str, LiveWorkspace] = {}
    unusable: dict[str, UserError] = {}
    try:
        for name in names:
            try:
                live, keepers[name] = opened(name)
            except UserError as error:
                unusable[name] = error
                continue
            if live is not None:
                writers[name] = live
    except BaseException:
        for watcher in [] if home is None else home.watchers.values():
            watcher.close()
        _close(writers.values())
        raise
    if unusable and not keepers:
        raise next(iter(unusable.values()))
    return Workspaces(keepers, writers, home, unusable)


def _read_only(
    folder: Path, name: str, lock: WriterLock | None, results: Results, workers: Workers
) -> Keeper:
    engine = Engine(open_view(folder, name), results, workers=workers)
    return Keeper(engine, SavedSegments(folder, name, lock))


def _close(opened: Iterable[LiveWorkspace]) -> None:
    for live in opened:
        live.close()


def _refuse_older(version: Version, at_least: Version | None) -> None:
    """Raise unless a workspace at *version* is as new as what a client has seen."""
    if at_least is not None and version < at_least:
        raise UserError(
            Reason.STALE_READ,
            f"this server is at version {version}, and the client has seen"
            f" {at_least}: either the client asks the wrong server, or data was lost; compare"
            " the server's data folder with its backups before writing to it",
            field="min_version",
        )


def _in_memory() -> UserError:
    return UserError(
        Reason.CONFLICT,
        "this workspace is in memory only, and can only be read",
        field="workspace",
    )
