"""CSV: cells, the line of every row, and every way in which a file is not CSV."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.load import csv_file, text_file
from headcount.load.batch import Columns
from headcount.load.csv_file import CsvFile
from headcount.model.errors import Reason, UserError

ANY = Columns("contacts", {}, (), (), open_ended=True)


def write(folder: Path, data: str | bytes, name: str = "f.csv") -> Path:
    """Write *data* to a file and return its path."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]], list[tuple[int, str]]]:
    """Return the names, each row with its line, and each broken row's line and reason."""
    source = CsvFile(path, ANY)
    rows, broken = [], []
    try:
        for batch in source.batches():
            columns = [column.to_pylist() for column in batch.columns.values()]
            rows += list(
                zip(batch.lines.tolist(), map(list, zip(*columns, strict=True)), strict=True)
            )
            broken += [(b.line, b.reason) for b in batch.broken]
    finally:
        source.close()
    return source.header, rows, broken


def refused(path: Path) -> UserError:
    """Return the error that reading *path* gives."""
    with pytest.raises(UserError) as caught:
        read(path)
    assert caught.value.reason is Reason.INVALID_FILE
    assert path.name in caught.value.message
    return caught.value


def test_rows_and_their_lines(tmp_path: Path) -> None:
    """Every row knows its line, past blank lines and line breaks inside quoted cells."""
    text = '\nid,name\n1,"a\nb"\n\n2,"x ""y"", z"\r\n3,\n\n4,"\r\n\n"\n5,e'
    names, rows, broken = read(write(tmp_path, text))
    assert names == ["id", "name"]
    assert rows == [
        (3, ["1", "a\nb"]),
        (6, ["2", 'x "y", z']),
        (7, ["3", ""]),
        (9, ["4", "\r\n\n"]),
        (12, ["5", "e"]),
    ]
    assert not broken


def test_a_row_with_other_cells_is_broken_alone(tmp_path: Path) -> None:
    """A row that is too short or too long is refused with its line; the rest is read."""
    text = 'id,name\n1,"a\nb"\n2\n3,c,d\n4,d\n5,"e\nf",g\n6,f\n7'
    _, rows, broken = read(write(tmp_path, text))
    assert [line for line, _ in rows] == [2, 6, 9]
    assert [line for line, _ in broken] == [4, 5, 7, 10]
    assert broken[0][1] == "the row has 1 cells, the header 2"
    assert "runs over 2 lines" in broken[2][1]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_header_s(tmp_path: Path, delimiter: str) -> None:
    """Comma, semicolon and tab are told apart by the header; quoted ones do not count."""
    text = f'id{delimiter}"a;b,c\td"\n1{delimiter}x\n'
    names, rows, _ = read(write(tmp_path, text))
    assert names == ["id", "a;b,c\td"]
    assert rows == [(2, ["1", "x"])]


def test_a_single_column(tmp_path: Path) -> None:
    """A file of ids alone is CSV; its blank lines are no rows."""
    assert read(write(tmp_path, "id\n1\n\n2\n\n"))[1] == [(2, ["1"]), (4, ["2"])]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom", "utf-32"]
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    """UTF-8 with and without a mark, and UTF-16 and UTF-32 with one, are read alike."""
    text = "id,name\n1,Łódź 𝄞\n2,b\n"
    data = text.encode(encoding.removesuffix("-bom"))
    if encoding.endswith("-bom"):
        data = "\ufeff".encode(encoding.removesuffix("-bom")) + data
    assert read(write(tmp_path, data))[1] == [(2, ["1", "Łódź 𝄞"]), (3, ["2", "b"])]
    zipped = write(tmp_path, gzip.compress(data), "f.csv.gz")
    assert read(zipped)[1] == [(2, ["1", "Łódź 𝄞"]), (3, ["2", "b"])]


def test_another_encoding_is_an_error_with_its_line(tmp_path: Path) -> None:
    """Latin-1 text is refused where it starts, with the command that converts it."""
    error = refused(write(tmp_path, "id,name\n1,a\n\n2,José\n".encode("latin-1")))
    assert "line 4 is not UTF-8 (byte 0xE9)" in error.message
    assert "iconv -f WINDOWS-1252 -t UTF-8" in error.message
    assert "line 1" in refused(write(tmp_path, "id,prénom\n1,a\n".encode("latin-1"))).message


def test_utf16_without_a_mark_and_half_of_a_pair(tmp_path: Path) -> None:
    """UTF-16 that cannot be recognised or ends in the middle says what is wrong."""
    assert "byte order mark" in refused(write(tmp_path, "id\n1\n".encode("utf-16-le"))).message
    assert "line 3" in refused(write(tmp_path, "id\n1\n2".encode("utf-16")[:-1])).message


@pytest.mark.parametrize(
    "text",
    [
        'id,name\n1,a\n2,"b\n3,c\n',
        'id,name\n1,a\n2,"b\n3,c',
        'id,name\n1,a\n"2,b\n3,c\n',
        'id,name\n1,a\n2,b,"c\n3\n',
    ],
)
def test_a_quote_that_is_never_closed_is_an_error(tmp_path: Path, text: str) -> None:
    """It would swallow the rest of the file; the error names the line it is in."""
    error = refused(write(tmp_path, text))
    assert "quote that opens in line 3 or after is never closed" in error.message


def test_a_row_longer_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that does not fit asks whether a quote was not closed."""
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 1 << 20)
    monkeypatch.setattr(text_file, "BLOCK_BYTES", 1 << 20)
    error = refused(write(tmp_path, 'id,name\n1,a\n2,"' + "x\n" * (1 << 20) + '"\n'))
    assert "longer than 1 MiB; is a quote not closed?" in error.message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "no header"),
        (b"id,name\n", "no row below it"),
        (b"id,name\n\n\n", "no row below it"),
        (b"id,,name\n1,2,3\n", "column 2 has no name"),
        (b"PAR1....", "Parquet"),
        (b"PK\x03\x04....", "export it as CSV"),
        (b"\x1f\x8b\x08\x00broken", "not a whole gzip file"),
        (gzip.compress(b"id\n1\n" * 100, mtime=0)[:-12], "not a whole gzip file"),
    ],
)
def test_what_is_no_csv(tmp_path: Path, data: bytes, message: str) -> None:
    """Each says what the file is instead, or what to do."""
    assert message in refused(write(tmp_path, data)).message


def test_names_of_columns(tmp_path: Path) -> None:
    """Unknown, repeated and missing columns are errors that name them and the nearest known."""
    columns = Columns(
        "contacts", {"cid": "id", "id": "id", "country": "country"}, ("id",), ("cid", "country")
    )

    def opened(header: str) -> UserError:
        with pytest.raises(UserError) as caught:
            CsvFile(write(tmp_path, header + "\n1,2\n"), columns)
        return caught.value

    assert opened("cid,contry").suggestions == ("country",)
    assert "columns `a`, `b` are not in the schema" in opened("cid,a,b").message
    assert "`cid` and `ID` are the same" in opened("cid,ID").message
    assert "`cid` and `cid` are the same" in opened("cid,cid").message
    missing = opened("COUNTRY, country").message
    assert "are the same" in missing
    missing = opened("Country").message
    assert "no column `cid`; its columns are `Country`" in missing
    assert 'id = "contact_id"' in missing


cells = st.text(st.sampled_from('ab "\n\r,;é\t\u2028'), max_size=6)


@st.composite
def files(draw: st.DrawFn) -> tuple[list[list[str]], bytes, list[int]]:
    """Return rows, the CSV that holds them with blank lines between, and the line of each."""
    width = draw(st.integers(1, 3))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12))
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    if any("\r" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL  # the writer leaves a lone CR bare
    out, lines = io.StringIO(newline=""), []
    writer = csv.writer(out, lineterminator=ending, quoting=quoting)
    writer.writerow([f"c{at}" for at in range(width)])
    kept = []
    for row in rows:
        for _ in range(draw(st.integers(0, 2))):
            out.write(ending)
        so_far = out.getvalue()
        breaks = so_far.count("\n") + so_far.count("\r") - so_far.count("\r\n")
        writer.writerow(row)
        if any(row):
            kept.append(row)
            lines.append(breaks + 1)
    data = out.getvalue()
    if draw(st.booleans()):
        data = data.removesuffix(ending)
    return kept, data.encode(), lines


@settings(max_examples=300, deadline=None)
@given(files())
@example(([["a"]], b"c0\na", [2]))
def test_any_rows_come_back_with_their_lines(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[list[list[str]], bytes, list[int]]
) -> None:
    """What the standard library's writer wrote is read back, cell by cell, line by line."""
    rows, data, lines = file
    path = write(tmp_path_factory.getbasetemp(), data)
    if not rows:
        assert "no row" in refused(path).message
        return
    _, found, broken = read(path)
    assert found == list(zip(lines, rows, strict=True))
    assert not broken


def test_lines_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are counted on from block to block, with broken rows and line breaks in each."""
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 256)
    monkeypatch.setattr(text_file, "BLOCK_BYTES", 256)
    text, expected, wrong, line = "id,name\n", [], [], 2
    for at in range(500):
        if at % 7 == 3:
            text, line = text + f"{at},x,\n", line + 1
            wrong.append(line - 1)
        else:
            cell = "y\n" * (at % 3)
            expected.append((line, [str(at), cell]))
            text, line = text + f'{at},"{cell}"\n', line + 1 + at % 3
    _, rows, broken = read(write(tmp_path, text))
    assert rows == expected
    assert [at for at, _ in broken] == wrong
