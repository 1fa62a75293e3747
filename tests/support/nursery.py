"""
Servers that start in a few milliseconds: a process that has imported everything forks each of them.

    python nursery.py        reads {"command": [...], "stderr": FILE, "fault": NAME}, a line each

A child is `headcount serve` as the command line runs it; only the imports, a second of a core, were
done before. So a server can be killed forty times within the time of a test.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headcount.cli import main as command_line
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.storage.log import CommitLog


def acknowledge_early() -> None:
    """Make the log late: what it acknowledges is written six commits at a time."""
    append = CommitLog.append
    held: dict[CommitLog, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {}

    def late(log: CommitLog, *args: Any, **named: Any) -> int:
        waiting = held.setdefault(log, [])
        waiting.append((args, named))
        sequence = log.last + len(waiting)
        if len(waiting) == 6:
            for args, named in waiting:
                append(log, *args, **named)
            waiting.clear()
        return sequence

    CommitLog.append = late


def answer_wrong() -> None:
    """Answer one count in ten with one contact too many."""
    count, calls = Engine.count, iter(range(1 << 40))

    def wrong(engine: Engine, *args: Any, **named: Any) -> Any:
        found = count(engine, *args, **named)
        late = next(calls) % 10 == 9
        return type(found)(found.count + 1, found.warnings) if late else found

    Engine.count = wrong


FAULTS: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "acknowledge early": acknowledge_early,
    "answer wrong": answer_wrong,
}


@dataclass(frozen=True)
class Running:
    """A server that runs in a process of its own, at an address, until it is killed."""

    pid: int
    address: str
    stderr: Path
    nursery: Nursery

    def kill(self) -> None:
        """Kill it with signal 9, and return when it is dead."""
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return its exit status, below 0 for that of a signal."""
        os.kill(self.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Return its exit status once it has ended."""
        return int(self.nursery.asked({"wait": self.pid}))


class Nursery:
    """The process that starts servers, seen from a test. For one thread."""

    def __init__(self) -> None:
        here = Path(__file__)
        environment = {
            **os.environ,
            "PYTHONPATH": str(here.parent.parent),
            "OPENBLAS_NUM_THREADS": "1",  # no threads before the forks
            "GRPC_ENABLE_FORK_SUPPORT": "0",
        }
        self._process = subprocess.Popen(
            [sys.executable, str(here)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._asking = threading.Lock()

    def asked(self, order: dict[str, Any]) -> str:
        """Return the line that an order is answered with."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()

    def run(self, command: Sequence[str], stderr: Path, fault: str = "") -> int:
        """Return the number of a new process that runs `headcount` with *command*."""
        stderr.unlink(missing_ok=True)
        os.mkfifo(stderr)
        order = {"command": list(command), "stderr": str(stderr), "fault": fault}
        return int(self.asked(order))

    def serve(
        self, folder: Path, *flags: str, listen: str = "127.0.0.1:0", fault: str = ""
    ) -> Running:
        """
        Return a server of *folder* that takes calls.

        Raises:
            AssertionError: it has ended instead; the message is what it said.
        """
        stderr = folder.with_name(folder.name + ".stderr")
        command = ["serve", "--data", str(folder), "--listen", listen, *flags]
        pid = self.run(command, stderr, fault)
        said = []
        with stderr.open() as lines:
            for line in lines:
                said.append(line)
                if '"serving"' in line:
                    break
            else:
                self.asked({"wait": pid})
                raise AssertionError("".join(said))
            server = Running(pid, json.loads(line)["address"], stderr, self)
            threading.Thread(
                target=_drain, args=(os.dup(lines.fileno()), said), daemon=True
            ).start()
        return server

    def close(self) -> None:
        """End the process; servers that it started must have ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    """Enter a block with a nursery."""
    found = Nursery()
    try:
        yield found
    finally:
        found.close()


def _drain(descriptor: int, said: list[str]) -> None:
    """Read what a server says until it ends, so that it never waits for a reader."""
    with os.fdopen(descriptor) as lines:
        said.extend(lines)


def _born(order: dict[str, Any]) -> int:
    """Return the number of a child that does what is ordered."""
    pid = os.fork()
    if pid:
        return pid
    stderr = os.open(order["stderr"], os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDWR)
    for target, source in ((0, nothing), (1, nothing), (2, stderr)):
        os.dup2(source, target)
    FAULTS[order["fault"]]()
    status = command_line.run(order["command"])
    sys.stderr.flush()
    os._exit(status)


def main() -> None:
    """Start and await children, as lines of standard input say."""
    parse("everyone")  # makes the parser
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        else:
            answer = _born(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
