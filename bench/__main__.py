"""
Run the benchmarks and write what was measured: `make bench`, or `python -m bench`.

    --contacts N     how many contacts (1,000,000); ten events each
    --only A,B       of load, questions, answers, rpc, live, watches
    --out FILE       where the JSON goes (bench/results/<contacts>.json)

Every figure of one run comes from one process on one machine, engines taking turns. Before anything
is timed all engines must give the same number; a difference ends the run with an error. The tables
in bench/README.md are made from the JSON by `python -m bench.report`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

# Polars reads this when it is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "2")

from bench import answers, live, load, machine, questions, rpc, timing, watches
from headcount.load import synthetic

PARTS = ("load", "questions", "answers", "rpc", "live", "watches")


def main() -> int:
    """Measure what was asked for and write it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Headcount.")
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--events-per-contact", type=int, default=10)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"--only takes {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    out = options.out or Path(__file__).parent / "results" / f"{options.contacts}.json"
    results = json.loads(out.read_text()) if out.exists() else {}
    results["machine"] = machine.describe()
    results["contacts"] = options.contacts
    results["events"] = options.contacts * options.events_per_contact
    with tempfile.TemporaryDirectory(prefix="headcount-bench-") as scratch:
        print("making the data ...", file=sys.stderr)
        files = synthetic.generate(
            Path(scratch) / "files",
            contacts=options.contacts,
            events=results["events"],
            now=questions.NOW,
        )
        folder = Path(scratch) / "data"
        measured = load.measure(files, folder)
        if "load" in parts:
            results["load"] = asdict(measured)
            _say("load", results["load"])
        if "questions" in parts:
            results["questions"] = ask_all(files, folder)
        if "answers" in parts:
            results["answers"] = answers.measure(folder)
            _say("answers", results["answers"])
        if "rpc" in parts:
            results["rpc"] = rpc.measure(folder)
            _say("rpc", results["rpc"])
        if "live" in parts:
            results["live"] = live.measure(folder, options.contacts)
            _say("live", results["live"])
        if "watches" in parts:
            results["watches"] = watches.measure(folder, options.contacts)
            _say("watches", results["watches"])
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"written to {out}", file=sys.stderr)
    return 0


def ask_all(files: synthetic.SyntheticFiles, folder: Path) -> dict[str, object]:
    """Ask every engine every question; refuse to time engines that disagree."""
    from bench import engines  # only now: they take seconds and memory to import

    asked = [
        engines.Headcount(folder),
        engines.DuckDB(files.contacts, files.events),
        engines.Polars(files.contacts, files.events),
        engines.ClickHouse(files.contacts, files.events),
    ]
    found: dict[str, object] = {}
    for name, question in questions.QUESTIONS.items():
        timings, answers = timing.side_by_side({e.name: e.ask(question) for e in asked})
        if len(set(answers.values())) != 1:
            raise SystemExit(f"{name}: the engines disagree: {answers}")
        found[name] = {
            "kind": question.kind,
            "text": question.ours,
            "answer": answers[engines.Headcount.name],
            "engines": {engine: asdict(t) for engine, t in timings.items()},
        }
        _say(name, {engine: f"{t.median * 1000:.3f} ms" for engine, t in timings.items()})
    return found


def _say(what: str, values: object) -> None:
    print(f"{what}: {values}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
