"""
Run the benchmarks and write what was measured: `make bench`, or `python -m bench`.

    --contacts N     how many contacts (1,000,000)
    --events N       how many events (10 a contact)
    --only A,B       of load, questions, answers, rpc, live, watches, and those of bench.more
    --rivals A,B     of those in bench.rivals (all of them), or none
    --seconds S      how long each rival may be asked one question, again and again (0.5)
    --data FOLDER    where the data is kept for the next run (bench-data)
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
from dataclasses import asdict
from pathlib import Path

# Polars reads this when it is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "2")

from bench import answers, data, live, load, machine, more, rivals, rpc, watches

PARTS = ("load", "questions", *more.PARTS, "answers", "rpc", "live", "watches")


def main() -> int:
    """Measure what was asked for and write it; return the exit status."""
    options = _options()
    out = options.out or Path(__file__).parent / "results" / f"{options.contacts}.json"
    results = json.loads(out.read_text()) if out.exists() else {}
    earlier = dict.fromkeys(results.get("commits", {}), results.get("machine"))
    results["machine"] = machine.describe()
    results["contacts"] = options.contacts
    results["events"] = options.events
    print("making the data, or finding it ...", file=sys.stderr)
    asked = "questions" in options.only and bool(options.rivals)
    made = data.prepare(options.data, options.contacts, options.events, rivals=asked)
    if "load" in options.only or not made.headcount.exists():
        measured = load.measure(made.files, made.headcount)
        if "load" in options.only:
            results["load"] = asdict(measured)
            _say("load", results["load"])
    if "questions" in options.only:
        # Only now: its libraries take seconds and memory to import.
        from bench import compare

        allowed = compare.budgets(options.seconds)
        results |= compare.compare(made.rivals, made.headcount, options.rivals, allowed=allowed)
    results |= more.measure(options.only, made.headcount, results)
    if "answers" in options.only:
        results["answers"] = answers.measure(made.headcount)
        _say("answers", results["answers"])
    if "rpc" in options.only:
        results["rpc"] = rpc.measure(made.headcount)
        _say("rpc", results["rpc"])
    if "live" in options.only:
        results["live"] = live.measure(made.headcount, options.contacts)
        _say("live", results["live"])
    if "watches" in options.only:
        results["watches"] = watches.measure(made.headcount, options.contacts)
        _say("watches", results["watches"])
    commit = results["machine"]["commit"] + "-dirty" * (results["machine"]["dirty"] == "yes")
    results["commits"] = results.get("commits", {}) | dict.fromkeys(options.only, commit)
    now_here = dict.fromkeys(options.only, results["machine"])
    results["machines"] = earlier | results.get("machines", {}) | now_here
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"written to {out}", file=sys.stderr)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Headcount.")
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--events", type=int)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--rivals", default=",".join(rivals.RIVALS))
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--data", type=Path, default=Path("bench-data"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.events is None:
        options.events = 10 * options.contacts
    options.rivals = "" if options.rivals == "none" else options.rivals
    for name, known in (("only", PARTS), ("rivals", tuple(rivals.RIVALS))):
        chosen = [one for one in getattr(options, name).split(",") if one]
        if unknown := set(chosen) - set(known):
            parser.error(f"--{name} takes {', '.join(known)}, not {', '.join(sorted(unknown))}")
        setattr(options, name, chosen)
    return options


def _say(what: str, values: object) -> None:
    print(f"{what}: {values}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
