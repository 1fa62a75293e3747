"""
Make the tables of bench/README.md from the results: `python -m bench.report`.

Each table stands between a pair of marker comments and is replaced whole, so that a figure on that
page is always one that a run wrote, beside the machine and the commit it was measured on.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import more, page

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
RIVALS = ("DuckDB", "Polars", "ClickHouse", "ClickHouse bitmaps", "PostgreSQL", "Redis")
FLOOR = "numpy"
OURS = "Headcount"


def main() -> int:
    """Rewrite the tables for every result file and return the exit status."""
    text, runs = PAGE.read_text(), {}
    for path in sorted((HERE / "results").glob("*.json"), key=lambda p: int(p.stem)):
        results = runs[int(path.stem)] = json.loads(path.read_text())
        begin, end = f"<!-- begin {path.stem} -->", f"<!-- end {path.stem} -->"
        if begin not in text:
            text += f"\n{begin}\n{end}\n"
        tables = "\n".join(section(results))
        text = re.sub(
            f"{re.escape(begin)}.*{re.escape(end)}",
            lambda _, new=f"{begin}\n{tables}\n{end}": new,
            text,
            flags=re.DOTALL,
        )
    PAGE.write_text(page.finished(text, runs))
    return 0


def section(results: dict[str, Any]) -> list[str]:
    """Return the lines of Markdown for one run."""
    lines = [f"## {results['contacts']:,} contacts, {results['events']:,} events", ""]
    if "questions" in results:
        lines += _questions(results)
    lines += more.tables(results)
    if "answers" in results:
        lines += _answers(results["answers"])
    if "load" in results:
        lines += _load(results)
    if "rpc" in results:
        lines += _rpc(results["rpc"])
    if "live" in results:
        lines += _live(results["live"])
    if "watches" in results:
        lines += _watches(results["watches"])
    return [*lines, " ".join(_measured(results))]


def _measured(results: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each machine that parts were measured on: commits, parts, versions."""
    machines = results.get("machines", {})
    found: dict[str, dict[str, list[str]]] = {}
    for part, commit in results["commits"].items():
        machine = machines.get(part, results["machine"])
        about = ", ".join(
            f"{k} {v}" for k, v in machine.items() if k not in ("processor", "commit", "dirty")
        )
        commits = found.setdefault(f"{machine['processor']}; {about}", {})
        commits.setdefault(commit, []).append(part)
    for where, commits in found.items():
        at = "; ".join(f"{commit} ({', '.join(parts)})" for commit, parts in commits.items())
        yield f"Measured at commit {at} on {where}."


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3f}" if seconds < 0.01 else f"{seconds * 1000:.1f}"


def _questions(results: dict[str, Any]) -> list[str]:
    columns = (*RIVALS, FLOOR)
    lines = [
        "Milliseconds, median of warm runs; for Headcount also the *p99*, the median of calls each"
        " *a second later* than the last, and the *first* call, parsing and planning included. All"
        " engines gave the same answer; — is a question that an engine"
        f" cannot say. The ratio is that of the best rival to Headcount; {FLOOR} is not a rival but"
        " what one has without an index.",
        "",
        f"| question | answer | {OURS} | p99 | a second later | first | {' | '.join(columns)}"
        f" | best rival ÷ {OURS} | {FLOOR} ÷ {OURS} |",
        "|---|---:|---:|---:|---:|---:|" + "---:|" * (len(columns) + 2),
    ]
    for name, question in results["questions"].items():
        engines = question["engines"]
        ours = engines[OURS]
        cells = [name, f"{question['answer']:,}", f"**{_ms(ours['median'])}**", _ms(ours["p99"])]
        cells += [_ms(question["moving"]) if "moving" in question else "—"]
        cells += [_ms(ours["first"]), *(_cell(results, engines, one) for one in columns)]
        cells += [_ratio(question, [*RIVALS]), _ratio(question, [FLOOR])]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", *_first(results), *_loaded(results)]


def _cell(results: dict[str, Any], engines: dict[str, Any], name: str) -> str:
    found = engines.get(name)
    if found is None:
        return "absent" if "absent" in results["rivals"].get(name, {"absent": ""}) else "—"
    return _ms(found["median"]) if "median" in found else f"> {found['gave_up']:g} s"


def _ratio(question: dict[str, Any], names: list[str]) -> str:
    ratio = best_ratio(question, names)
    if ratio is None:
        return "—"
    missed = names != [FLOOR] and ratio < question["goal"]
    shown = f"{ratio:.1f}×" if ratio < 10 or missed else f"{ratio:.0f}×"
    return f"{shown} (goal {question['goal']}×)" if missed else shown


def best_ratio(question: dict[str, Any], names: list[str] | tuple[str, ...]) -> float | None:
    """Return how many times longer the best of *names* takes than Headcount, by medians."""
    engines = question["engines"]
    theirs = [engines[one]["median"] for one in names if "median" in engines.get(one, {})]
    return min(theirs) / engines[OURS]["median"] if theirs else None


def _first(results: dict[str, Any]) -> list[str]:
    """Return the table of first calls, which nothing has been made warm for."""
    columns = (OURS, *RIVALS, FLOOR)
    lines = [f"| first call, ms | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for name, question in results["questions"].items():
        engines = question["engines"]
        cells = [
            _ms(engines[c]["first"]) if "first" in engines.get(c, {}) else "—" for c in columns
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def _loaded(results: dict[str, Any]) -> list[str]:
    lines = ["| rival | version | made ready in |", "|---|---|---:|"]
    for name, about in results["rivals"].items():
        if "absent" in about:
            lines.append(f"| {name} | absent: {about['absent']} | |")
        else:
            lines.append(f"| {name} | {about['version']} | {about['load_seconds']:.1f} s |")
    return [*lines, ""]


_ANSWERS = {
    "preview_cold": "preview of ten conditions, with ten contacts",
    "preview_new": "preview of ten conditions that were never asked, from their text",
    "preview_edited_text": "the same with one number edited, as text",
    "preview_edited_tree": "the same, as a tree",
    "explain_cold": "explain ten conditions",
    "explain_remembered": "the same, remembered",
    "explain_contact": "why one contact is in it or not",
    "breakdown_keyword": "everyone by country",
    "breakdown_label": "everyone by label",
    "histogram_months": "everyone by the month of a datetime",
    "overlap_cold": "overlap of 100 segments",
    "overlap_remembered": "the same, remembered",
    "overlap_later": "the same, a second later",
    "match_remembered": "which of 100 segments hold a contact, remembered",
    "match_later": "the same, a second later each time",
    "refresh": "count 10,000 segments of two keywords one by one, no result remembered",
    "next_version": "count ten conditions in a new version of the same contacts",
}


def _answers(found: dict[str, float]) -> list[str]:
    measured = ((what, found[name]) for name, what in _ANSWERS.items() if name in found)
    rows = (f"| {what} | {_ms(seconds)} ms |" for what, seconds in measured)
    return ["| other answers, in process, one thread: median | |", "|---|---:|", *rows, ""]


def _alone(load: dict[str, Any]) -> list[str]:
    seconds = load.get("contacts_seconds")
    return [] if seconds is None else [f"| the contacts alone, start to end | {seconds:.1f} s |"]


def _load(results: dict[str, Any]) -> list[str]:
    load = results["load"]
    rows = results["contacts"] + results["events"]
    return [
        "| loading and opening | |",
        "|---|---:|",
        f"| load from Parquet, process start to end | {load['load_seconds']:.1f} s |",
        f"| contacts and events a second | {rows / load['load_seconds']:,.0f} |",
        *_alone(load),
        f"| peak resident memory of the load | {load['load_peak_bytes'] / 1e9:.2f} GB |",
        f"| on disk | {load['disk_bytes'] / 1e6:,.0f} MB |",
        f"| open again and count everyone | {load['open_seconds']:.2f} s |",
        f"| peak resident memory after opening | {load['open_peak_bytes'] / 1e9:.2f} GB |",
        "",
    ]


def _rpc(found: dict[str, float]) -> list[str]:
    return [
        "| gRPC, one client on the same machine | |",
        "|---|---:|",
        f"| `Count`, one keyword: median | {_ms(found['unary_simple_median'])} ms |",
        f"| of which not the engine | {_ms(found['unary_simple_added_median'])} ms |",
        f"| `Count`, six conditions: median | {_ms(found['unary_six_conditions_median'])} ms |",
        f"| of which not the engine | {_ms(found['unary_six_conditions_added_median'])} ms |",
        f"| `CountMany`, a keyword and a range | {found['count_many_per_second']:,.0f} a second |",
        *(
            [f"| `CountMany`, two keywords | {found['count_many_keywords']:,.0f} a second |"]
            if "count_many_keywords" in found
            else []
        ),
        f"| `StreamMembers`, string ids | {found['stream_ids_per_second']:,.0f} a second |",
        "",
    ]


def _live(found: dict[str, float]) -> list[str]:
    return [
        "| writing, synced, client and server on the same two cores | |",
        "|---|---:|",
        f"| `Record`, batches of 1,000 | {found['record_per_second']:,.0f} events a second |",
        f"| `RecordArrow`, batches of 20,000 | {found['record_arrow_per_second']:,.0f} a second |",
        f"| single upserts, 16 clients, {found['upsert_calm_per_second']:,.0f} a second: median"
        f" acknowledgement | {_ms(found['upsert_calm_median'])} ms |",
        f"| single upserts, 16 clients, as fast as they can, {found['upsert_per_second']:,.0f} a"
        f" second: median | {_ms(found['upsert_median'])} ms |",
        f"| queries, idle: median, p99 | {_ms(found['query_idle_median'])},"
        f" {_ms(found['query_idle_p99'])} ms |",
        f"| while {found['ingested_per_second']:,.0f} events a second come in |"
        f" {_ms(found['query_ingesting_median'])}, {_ms(found['query_ingesting_p99'])} ms |",
        f"| while it compacts | {_ms(found['query_compacting_median'])},"
        f" {_ms(found['query_compacting_p99'])} ms |",
        f"| start again after that, to the first answer | {found['restart_seconds']:.1f} s |",
        "",
    ]


def _watches(found: dict[str, float]) -> list[str]:
    return [
        f"| 1,000 watched segments, {found['events_per_second']:,.0f} events a second | |",
        "|---|---:|",
        f"| told after the commit: median | {_ms(found['late_median'])} ms |",
        f"| p99 | {_ms(found['late_p99'])} ms |",
        f"| transitions told in the time measured | {found['told']:,.0f} |",
        f"| to create one watch | {_ms(found['create_seconds'])} ms |",
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
