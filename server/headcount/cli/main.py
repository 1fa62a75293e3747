"""
The `headcount` command: the only place that turns errors into exit statuses.

    0  good          1  the user's error: fix the request     2  wrong usage
    3  damaged data  130 interrupted

Results go to standard output and all else to standard error, so that a result can be piped. The
same words work on a data folder (`--data`, no server) and on a server (`--server`).
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.abc import MetaPathFinder
from typing import Any, NoReturn

import typer

from headcount.cli.output import complain
from headcount.model.errors import CorruptionError, HeadcountError

COMMANDS = {  # in the order of the help: where each is, in `headcount.cli`
    "demo": "serve",
    "load": "loading",
    "serve": "serve",
    "count": "query",
    "members": "query",
    "preview": "answers",
    "explain": "answers",
    "explain-contact": "answers",
    "breakdown": "answers",
    "overlap": "answers",
    "match": "answers",
    "resolve": "sending",
    "export": "sending",
    "validate": "query",
    "format": "query",
    "write": "writing",
    "get": "writing",
    "delete": "writing",
    "merge": "writing",
    "suppress": "writing",
    "watch": "watching",
    "stats": "data",
    "check": "data",
    "compact": "caring",
    "snapshot": "caring",
    "backup": "caring",
    "restore": "caring",
}
GROUPS = {
    "segment": ("segment", "app"),
    "watches": ("watching", "app"),
    "workspace": ("caring", "workspace_app"),
    "schema": ("caring", "schema_app"),
    "report": ("report", "app"),
}


def command_line(first: str | None = None) -> typer.Typer:
    """
    Return the command line, of all commands or only of the one that *first* names.

    Importing every command takes 1.3 s of processor, `load` alone half of that.
    """
    app = typer.Typer(
        name="headcount",
        help="Who is in this segment, right now? An in-memory bitmap query server.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    known = first in COMMANDS or first in GROUPS
    for name, module in COMMANDS.items():
        if not known or name == first:
            app.command(name=name)(_held(module, _attribute(name)))
    for name, (module, attribute) in GROUPS.items():
        if not known or name == first:
            app.add_typer(_held(module, attribute), name=name)
    if known:
        app.callback()(lambda: None)  # a lone command would not be asked for by its name
    return app


def _held(module: str, attribute: str) -> Any:
    return getattr(importlib.import_module(f"headcount.cli.{module}"), attribute)


def _attribute(command: str) -> str:
    """Return what the function of *command* is called."""
    return "format_" if command == "format" else command.replace("-", "_")


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status; *arguments* default to the process's."""
    if sys.stdout is None:
        complain("standard output is closed; expected somewhere to write the result")
        return 1
    try:
        return _run(arguments)
    except BrokenPipeError:  # `headcount members ... | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        complain(f"cannot write the result: {error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(arguments: list[str] | None) -> int:
    """Run the command line and return its exit status; what it printed is written."""
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        command_line(arguments[0] if arguments else None)(args=arguments, prog_name="headcount")
    except SystemExit as left:  # typer has shown what was wrong with the usage, and chosen 2
        if isinstance(left.__context__, BrokenPipeError):  # which it takes for a failure
            raise left.__context__ from None
        sys.stdout.flush()
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except CorruptionError as error:
        complain(f"damaged data: {error}")
        return 3
    except HeadcountError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


class _WithoutPandas(MetaPathFinder):
    """
    Says that there is no pandas, which a command has no use for.

    pyarrow imports it where it is installed, to see whether a value is one of its: 0.25 s.
    """

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuse pandas, and leave all else to others."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def main() -> NoReturn:
    """Run the command line and leave the process."""
    sys.meta_path.insert(0, _WithoutPandas())
    sys.exit(run())


if __name__ == "__main__":
    main()
