"""The files that people really have: each ends in a right answer or a helpful error."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headcount.index.interval import Interval
from headcount.index.workspace import open_view
from headcount.model.errors import Reason, UserError
from support.loading import contents, put, rejects, write

SCHEMA = """
id = "contact_id"
time_zone = "Europe/Berlin"
[fields]
country = "keyword"
email = "text"
spent = "number"
vip = "boolean"
birthday = "date"
signed_up = "datetime"
interests = "keywords"
[events.open]
alias = ["opened"]
[events.purchase]
properties = { amount = "number", category = "keyword" }
"""
CONTACTS = "contact_id,country\na,DE\nb,US\n"


def utc(text: str) -> dt.datetime:
    """Return an instant of UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def failure(folder: Path, **files: str | Path) -> UserError:
    """Return the error that a load gives, having checked that nothing was stored."""
    with pytest.raises(UserError) as caught:
        put(folder, SCHEMA, **files)
    with pytest.raises(UserError, match="has no workspace"):
        open_view(folder / "data", "default")
    return caught.value


def test_missing_columns(tmp_path: Path) -> None:
    """Fields that the file lacks are missing values."""
    put(tmp_path, SCHEMA, contacts=CONTACTS)
    assert contents(tmp_path).contacts == {"a": {"country": "DE"}, "b": {"country": "US"}}


def test_a_missing_id_column(tmp_path: Path) -> None:
    """The error lists the columns found and says how to name the id column."""
    error = failure(tmp_path, contacts="cid,country\na,DE\n")
    assert error.reason is Reason.UNKNOWN_NAME
    assert "column `cid` is not in the schema" in error.message
    error = failure(tmp_path, contacts="email,country\na,DE\n")
    assert "no column `contact_id`; its columns are `email`, `country`" in error.message
    error = failure(tmp_path, contacts=CONTACTS, events="contact,time\na,2026-01-01T00:00:00Z\n")
    assert "no column `type`" in error.message


def test_extra_columns(tmp_path: Path) -> None:
    """Columns that are not in the schema are an error with the nearest name, not dropped."""
    error = failure(tmp_path, contacts="contact_id,contry\na,DE\n")
    assert error.suggestions == ("country",)
    error = failure(tmp_path, contacts="contact_id,contry,age\na,DE,3\n")
    assert "columns `contry`, `age` are not in the schema" in error.message
    event = "contact,type,time,amont\na,open,2026-01-01T00:00:00Z,3\n"
    assert failure(tmp_path, contacts=CONTACTS, events=event).suggestions == ("amount",)


def test_duplicate_ids(tmp_path: Path) -> None:
    """The first row of an id is kept; later ones are refused, naming the first."""
    text = "contact_id,country\na,DE\nb,US\na,FR\n\nb,GB\na,IT\n"
    more = write(tmp_path, "more.csv", "contact_id,country\nc,ES\na,PT\n")
    first = write(tmp_path, "first.csv", text)
    summary = put(tmp_path, SCHEMA, contacts=[first, more])
    assert (summary.contacts_new, summary.contacts_refused) == (3, 4)
    assert contents(tmp_path).contacts == {
        "a": {"country": "DE"},
        "b": {"country": "US"},
        "c": {"country": "ES"},
    }
    found = [
        (file, line, value, reason[-20:]) for file, line, _, value, reason in rejects(tmp_path)
    ]
    assert found == [
        ("first.csv", 4, "a", "t (first.csv, line 2)"[-20:]),
        ("first.csv", 6, "b", "t (first.csv, line 3)"[-20:]),
        ("first.csv", 7, "a", "t (first.csv, line 2)"[-20:]),
        ("more.csv", 3, "a", "t (first.csv, line 2)"[-20:]),
    ]
    assert list(summary.reasons.values()) == [4]


def test_an_id_whose_first_row_is_refused_is_free(tmp_path: Path) -> None:
    """A refused row does not count as there: the next row of its id is stored."""
    summary = put(tmp_path, SCHEMA, contacts="contact_id,spent\na,x\na,5\n")
    assert (summary.contacts_new, summary.contacts_refused) == (1, 1)
    assert contents(tmp_path).contacts == {"a": {"spent": 5.0}}


def test_empty_cells(tmp_path: Path) -> None:
    """An empty cell of any type is a missing value; 0, false and NULL are not."""
    header = "contact_id,country,email,spent,vip,birthday,signed_up,interests,label,status,stage"
    text = f'{header}\na,,,,,,,,,,\nb,"","","","","","","","","",""\nc,NULL,N/A,0,false,,,;,;;,,\n'
    put(tmp_path, SCHEMA, contacts=text)
    assert contents(tmp_path).contacts == {
        "a": {},
        "b": {},
        "c": {"country": "NULL", "email": "N/A", "spent": 0.0, "vip": False},
    }


def test_bad_dates(tmp_path: Path) -> None:
    """Ambiguous and impossible dates are refused, each with a reason; the rest is stored."""
    text = "contact_id,birthday\na,03/04/2026\nb,2026-02-30\nc,2026-4-3\nd,1990-12-31\ne,soon\n"
    summary = put(tmp_path, SCHEMA, contacts=text)
    assert (summary.contacts_new, summary.contacts_refused) == (1, 4)
    assert contents(tmp_path).contacts == {"d": {"birthday": dt.date(1990, 12, 31)}}
    reasons = {line: reason for _, line, _, _, reason in rejects(tmp_path)}
    assert "ambiguous: day or month first?" in reasons[2]
    assert "no such day" in reasons[3]
    assert "two digits" in reasons[4]
    assert "expected a date such as" in reasons[6]
    assert summary.reasons["birthday: there is no such day in the calendar"] == 1


def test_numbers_with_commas(tmp_path: Path) -> None:
    """A thousands comma is never guessed at: the row is refused with what to do."""
    text = 'contact_id,spent\na,"1,234.50"\nb,1234.50\nc,"1,5"\n'
    put(tmp_path, SCHEMA, contacts=text)
    assert contents(tmp_path).contacts == {"b": {"spent": 1234.5}}
    (_, line, column, value, reason), (_, _, _, _, other) = rejects(tmp_path)
    assert (line, column, value) == (2, "spent", "1,234.50")
    assert "remove the comma" in reason
    assert "decimal point" in other


def test_mixed_time_zones(tmp_path: Path) -> None:
    """Offsets of all kinds in one column are one instant each; without one it is Berlin's clock."""
    times = ["2026-07-01T12:00:00Z", "2026-07-01T14:00:00+02:00", "2026-07-01 07:00:00-0500",
             "2026-07-01T14:00:00", "1782907200", "1782907200000"]  # fmt: skip
    rows = "".join(f"{at},{time}\n" for at, time in enumerate(times))
    put(tmp_path, SCHEMA, contacts=f"contact_id,signed_up\n{rows}")
    expected = {str(at): {"signed_up": utc("2026-07-01T12:00:00")} for at in range(len(times))}
    assert contents(tmp_path).contacts == expected


def test_clock_times_that_happen_twice_or_never(tmp_path: Path) -> None:
    """The clock's changes are read as the language reads them."""
    rows = "a,2026-03-29T02:30:00\nb,2026-10-25T02:30:00\n"
    put(tmp_path, SCHEMA, contacts=f"contact_id,signed_up\n{rows}")
    assert contents(tmp_path).contacts == {
        "a": {"signed_up": utc("2026-03-29T01:30:00")},
        "b": {"signed_up": utc("2026-10-25T00:30:00")},
    }


def test_a_utf16_file(tmp_path: Path) -> None:
    """What Excel calls Unicode Text is read: UTF-16 with a mark, tabs between."""
    text = "contact_id\tcountry\tinterests\n1\tÖsterreich\tSki;Musik\n2\t日本\t\n"
    path = write(tmp_path, "excel.txt", text.encode("utf-16"))
    put(tmp_path, SCHEMA, contacts=path)
    assert contents(tmp_path).contacts == {
        "1": {"country": "Österreich", "interests": {"Ski", "Musik"}},
        "2": {"country": "日本"},
    }


def test_a_truncated_parquet(tmp_path: Path) -> None:
    """A file that was cut short is an error, and nothing of it is stored."""
    path = tmp_path / "contacts.parquet"
    pq.write_table(pa.table({"contact_id": [str(at) for at in range(1000)]}), path)
    path.write_bytes(path.read_bytes()[:-100])
    error = failure(tmp_path, contacts=path)
    assert error.reason is Reason.INVALID_FILE
    assert "contacts.parquet is damaged, cut short" in error.message


def test_events_before_contacts_and_out_of_order(tmp_path: Path) -> None:
    """Neither the order of files nor of rows matters."""
    events = "type,time,contact\n" + "".join(
        f"opened,2026-01-{day:02}T00:00:00Z,{contact}\n"
        for day, contact in [(9, "b"), (3, "a"), (5, "a"), (1, "b"), (4, "a")]
    )
    put(tmp_path, SCHEMA, events=events, contacts=CONTACTS)
    found = contents(tmp_path).events["open"]
    assert [(contact, time.day) for contact, time, _, _ in found] == [
        ("b", 1), ("a", 3), ("a", 4), ("a", 5), ("b", 9),
    ]  # fmt: skip


def test_events_of_unknown_contacts(tmp_path: Path) -> None:
    """They are counted and refused, or their contacts are made, each once."""
    events = "contact,type,time\n" + "".join(
        f"{contact},open,2026-01-01T00:00:00Z\n" for contact in ["a", "x", "y", "x", ""]
    )
    summary = put(tmp_path, SCHEMA, contacts=CONTACTS, events=events)
    assert (summary.events_loaded, summary.events_refused) == (1, 4)
    assert [value for _, _, _, value, _ in rejects(tmp_path)] == ["x", "y", "x", ""]
    assert any("no contact has this id" in reason for reason in summary.reasons)
    summary = put(tmp_path, contacts=CONTACTS, events=events, create_contacts=True)
    assert (summary.events_loaded, summary.events_refused) == (4, 1)
    assert (summary.contacts_created, summary.contacts_updated) == (2, 2)
    assert list(contents(tmp_path).contacts) == ["a", "b", "x", "y"]


def test_duplicate_event_ids(tmp_path: Path) -> None:
    """The same id of one contact and type counts once, in a file, across files and across loads."""
    header = "contact,type,time,id,amount\n"
    first = header + (
        "a,purchase,2026-01-01T00:00:00Z,1,10\n"
        "a,purchase,2026-01-02T00:00:00Z,1,20\n"  # repeats
        "b,purchase,2026-01-01T00:00:00Z,1,30\n"  # another contact
        "a,open,2026-01-01T00:00:00Z,1,\n"  # another type
        "a,purchase,2026-01-03T00:00:00Z,,40\n"
        "a,purchase,2026-01-03T00:00:00Z,,40\n"  # without an id nothing is the same
    )
    other = write(tmp_path, "other.csv", header + "a,purchase,2026-01-04T00:00:00Z,1,50\n")
    files = [write(tmp_path, "first.csv", first), other]
    summary = put(tmp_path, SCHEMA, contacts=CONTACTS, events=files)
    assert (summary.events_loaded, summary.events_repeated, summary.events_refused) == (5, 2, 0)
    again = header + "a,purchase,2026-01-05T00:00:00Z,1,60\nb,purchase,2026-01-05T00:00:00Z,2,70\n"
    summary = put(tmp_path, events=again)
    assert (summary.events_loaded, summary.events_repeated) == (1, 1)
    found = contents(tmp_path).events
    assert [(c, i, p["amount"]) for c, _, i, p in found["purchase"]] == [
        ("a", "1", 10.0), ("b", "1", 30.0), ("a", None, 40.0), ("a", None, 40.0), ("b", "2", 70.0),
    ]  # fmt: skip
    assert len(found["open"]) == 1


def test_one_contact_with_a_million_events(tmp_path: Path) -> None:
    """All of one contact's events arrive, and are counted."""
    count = 1_000_000
    path = tmp_path / "events.parquet"
    table = pa.table({
        "contact": pa.array(["b"]).take(pa.array(np.zeros(count, np.int32))),
        "type": pa.array(["open"]).take(pa.array(np.zeros(count, np.int32))),
        "time": pa.array(np.arange(count) * 1_000_000).cast(pa.timestamp("us", "UTC")),
    })  # fmt: skip
    pq.write_table(table, path)
    summary = put(tmp_path, SCHEMA, contacts=CONTACTS, events=path)
    assert summary.events_loaded == count
    log = open_view(tmp_path / "data", "default").blocks[0].events["open"]
    assert log.size == count
    whole = Interval(0, count * 1_000_000)
    assert list(log.at_least(count, whole)) == [1]
    assert not log.at_least(count + 1, whole)


def test_one_label_with_one_contact_and_100k_labels(tmp_path: Path) -> None:
    """A label of one contact, and as many different labels as contacts, are stored and found."""
    count = 100_000
    labels = pa.array([["common", f"label {at}"] for at in range(count)])
    path = tmp_path / "contacts.parquet"
    pq.write_table(pa.table({"contact_id": list(range(count)), "label": labels}), path)
    put(tmp_path, SCHEMA, contacts=path)
    view = open_view(tmp_path / "data", "default")
    assert len(view.labels) == count + 1
    index = view.blocks[0].fields["label"]
    assert list(index.equal(["label 99999"])) == [99_999]
    assert len(index.equal(["common"])) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("contact_id,country\n", "no row below it"),
        ('contact_id,country\n"a,DE\n', "is never closed"),
    ],
)
def test_files_without_rows(tmp_path: Path, text: str, message: str) -> None:
    """An empty file, a header alone and an open quote are errors."""
    error = failure(tmp_path, contacts=text)
    assert error.reason is Reason.INVALID_FILE
    assert message in error.message


def test_another_encoding(tmp_path: Path) -> None:
    """A file that is not UTF-8 is an error with its line and what to do."""
    path = write(tmp_path, "c.csv", "contact_id,country\n1,Österreich\n".encode("latin-1"))
    error = failure(tmp_path, contacts=path)
    assert "line 2 is not UTF-8" in error.message
    assert "iconv" in error.message


def test_columns_of_a_type_that_never_fits(tmp_path: Path) -> None:
    """A Parquet column that no row of could be stored is one error about the file."""
    path = tmp_path / "c.parquet"
    pq.write_table(pa.table({"contact_id": ["a"], "spent": [{"value": 1}]}), path)
    assert "column `spent` holds struct" in failure(tmp_path, contacts=path).message
    pq.write_table(pa.table({"contact_id": [1.0]}), path)
    error = failure(tmp_path, contacts=path)
    assert "column `contact_id` holds double, which cannot be an id" in error.message


def test_rows_with_several_faults_are_reported_whole(tmp_path: Path) -> None:
    """Each bad cell has a line of its own, so that a row can be mended at once."""
    summary = put(tmp_path, SCHEMA, contacts="contact_id,spent,vip\n,x,maybe\nb,1,yes\n")
    assert (summary.contacts_new, summary.contacts_refused, summary.refused) == (1, 1, 1)
    assert [(line, column) for _, line, column, _, _ in rejects(tmp_path)] == [
        (2, "contact_id"), (2, "spent"), (2, "vip"),
    ]  # fmt: skip


def test_strict_stops_at_the_first(tmp_path: Path) -> None:
    """With strict the first refused row is the error, and nothing is stored."""
    with pytest.raises(UserError) as caught:
        put(tmp_path, SCHEMA, contacts="contact_id,spent\na,1\nb,x\nc,y\n", strict=True)
    assert caught.value.field == "contacts.csv:3:spent"
    assert not (tmp_path / "rejects.csv").exists()
    with pytest.raises(UserError, match="has no workspace"):
        open_view(tmp_path / "data", "default")
