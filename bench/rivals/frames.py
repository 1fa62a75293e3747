"""
Polars: frames in memory, keywords as categories, a frame for each type of event in the order of
time, lazy queries. Its thread pool is set before the import, by `bench.__main__`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import polars as pl

from bench.data import RivalFiles
from bench.questions import CITIES, NOW, PAST, ROWS, SETS, SPENT, Question, ago
from bench.rivals import KEYWORDS

C = pl.col
Frames = Mapping[str, pl.LazyFrame]
Said = Callable[[Frames], pl.LazyFrame]


class Polars:
    """Polars over frames in memory."""

    version = pl.__version__

    def __init__(self, files: RivalFiles) -> None:
        keywords = [C(name).cast(pl.Categorical) for name in KEYWORDS]
        contacts = pl.scan_parquet(files.contacts).with_columns(keywords).collect()
        self._frames = {"contacts": contacts.lazy()}
        for kind, path in files.events.items():
            frame = pl.scan_parquet(path)
            if "category" in frame.collect_schema():
                frame = frame.with_columns(C("category").cast(pl.Categorical))
            if "campaign" in frame.collect_schema():
                frame = frame.with_columns(C("campaign").cast(pl.Categorical))
            self._frames[kind] = frame.collect().with_columns(C("time").set_sorted()).lazy()

    def ask(self, question: Question) -> Callable[[], int] | None:
        """Return a call that collects the lazy query."""
        if question.name not in SAID:
            return None
        query = SAID[question.name](self._frames)
        return lambda: int(query.collect().item())

    def close(self) -> None:
        """Let go of the frames."""
        self._frames = {}


def _when(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=None)  # the frames hold UTC without saying so


def _field(condition: pl.Expr) -> Said:
    return lambda frames: frames["contacts"].filter(condition).select(pl.len())


def _done(
    kind: str, low: dt.datetime, high: dt.datetime = NOW, where: pl.Expr | None = None
) -> Said:
    chosen = (C("time") > _when(low)) & (C("time") <= _when(high))
    return lambda frames: frames[kind].filter(chosen if where is None else chosen & where)


def _at_least(n: int, done: Said) -> Said:
    if n == 1:
        return lambda frames: done(frames).select(C("contact").n_unique())

    def say(frames: Frames) -> pl.LazyFrame:
        return done(frames).group_by("contact").len().filter(C("len") >= n).select(pl.len())

    return say


def _none(frames: Frames) -> pl.LazyFrame:
    some = _at_least(1, _done("email_open", ago(30)))(frames)
    everyone = frames["contacts"].select(everyone=pl.len().cast(pl.Int64))
    both = pl.concat([everyone, some.cast(pl.Int64)], how="horizontal")
    return both.select(C("everyone") - C("contact"))


def _spent(frames: Frames) -> pl.LazyFrame:
    sums = _done("purchase", ago(90))(frames).group_by("contact").agg(C("amount").sum())
    return sums.filter(C("amount") > SPENT).select(pl.len())


def _sequence(frames: Frames) -> pl.LazyFrame:
    bought = frames["purchase"].filter(C("time") <= _when(NOW)).select("contact", later="time")
    pairs = frames["product_view"].join(bought, on="contact")
    near = (C("later") > C("time")) & (C("later") <= C("time") + pl.duration(days=7))
    return pairs.filter(near).select(C("contact").n_unique())


def _segments(frames: Frames) -> pl.LazyFrame:
    good = (C("total_spent") > 100) & C("stage").is_in(["Customer", "Loyal"])
    readers = _done("email_open", ago(30))(frames)
    chosen = frames["contacts"].filter(good)
    return chosen.join(readers, left_on="number", right_on="contact", how="anti").select(pl.len())


def _has(column: str, *values: str) -> pl.Expr:
    return pl.any_horizontal(C(column).list.contains(value) for value in values)


_ROWS = [
    _has(field, *values) if field in SETS else C(field).is_in(values)
    for field, values in ROWS.items()
]

SAID: dict[str, Said] = {
    "one keyword": _field(C("country") == "US"),
    "two keywords": _field((C("country") == "US") & (C("plan") == "Pro")),
    "in of many": _field(C("city").is_in(CITIES)),
    "six conditions": _field(
        (C("country").is_in(["US", "DE", "GB"]) | C("plan").is_in(["Pro", "Enterprise"]))
        & C("total_spent").is_between(50, 500)
        & _has("label", "newsletter")
        & (C("signed_up_at") > _when(ago(365)))
        & (C("signed_up_at") <= _when(NOW))
        & (~C("vip")).fill_null(value=True)
    ),
    "number range": _field(C("total_spent").is_between(100, 250)),
    "date window": _field(C("birthday").is_between(dt.date(1980, 1, 1), dt.date(1989, 12, 31))),
    "datetime window": _field(
        (C("signed_up_at") > _when(ago(90))) & (C("signed_up_at") <= _when(NOW))
    ),
    "text contains": _field(C("email").str.contains("tanaka9", literal=True)),
    "label logic": _field(_has("label", "newsletter", "webinar-2026") & ~_has("label", "vip")),
    "29 rows": _field(pl.all_horizontal(_ROWS)),
    "calculated": _field((C("lead_score") != 0) & (C("total_spent") / C("lead_score") > 5)),
    "opened once in 30 days": _at_least(1, _done("email_open", ago(30))),
    "opened 3 times in 30 days": _at_least(3, _done("email_open", ago(30))),
    "opened 3 times in a past year": _at_least(3, _done("email_open", *PAST)),
    "not opened in 30 days": _none,
    "event with properties": _at_least(
        1, _done("purchase", ago(365), where=(C("category") == "Books") & (C("amount") > 20))
    ),
    "sum over events": _spent,
    "sequence": _sequence,
    "segment of segments": _segments,
}
