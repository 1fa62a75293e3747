"""
The `headcount` command: the only place that turns errors into exit statuses.

    0  good          1  the user's error: fix the request     2  wrong usage
    3  damaged data  130 interrupted

Results go to standard output and all else to standard error, so that a result can be piped. The
same words work on a data folder (`--data`, no server) and on a server (`--server`).
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from headcount.cli import (
    answers,
    caring,
    data,
    query,
    report,
    segment,
    sending,
    serve,
    watching,
    writing,
)
from headcount.cli.output import complain
from headcount.model.errors import CorruptionError, HeadcountError

app = typer.Typer(
    name="headcount",
    help="Who is in this segment, right now? An in-memory bitmap query server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (
    serve.demo,
    data.load,
    serve.serve,
    query.count,
    query.members,
    answers.preview,
    answers.explain,
    answers.explain_contact,
    answers.breakdown,
    answers.overlap,
    answers.match,
    sending.resolve,
    sending.export,
    query.validate,
    query.format_,
    writing.write,
    writing.get,
    writing.delete,
    writing.merge,
    writing.suppress,
    watching.watch,
    data.stats,
    data.check,
    caring.compact,
    caring.snapshot,
    caring.backup,
    caring.restore,
):
    app.command(name=command.__name__.rstrip("_").replace("_", "-"))(command)
app.add_typer(segment.app, name="segment")
app.add_typer(watching.app, name="watches")
app.add_typer(caring.workspace_app, name="workspace")
app.add_typer(caring.schema_app, name="schema")
app.add_typer(report.app, name="report")


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
        app(args=arguments, prog_name="headcount")
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


def main() -> NoReturn:
    """Run the command line and leave the process."""
    sys.exit(run())


if __name__ == "__main__":
    main()
