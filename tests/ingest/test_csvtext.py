"""CSV files in the encodings and with the separators that spreadsheet programs write."""

import codecs
from pathlib import Path

import pytest

from mammoseg.ingest.csvtext import CsvError, read_csv_rows

PATH = Path("labels.csv")
ROWS = [["Müller", "Side"], ["0012", "L"]]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "big endian with mark"]
)
def test_as_programs_write_them(encoding: str, separator: str) -> None:
    text = "".join(f"{separator.join(row)}\r\n" for row in ROWS)
    marked = codecs.BOM_UTF16_BE + text.encode("utf-16-be")
    content = marked if encoding.startswith("big") else text.encode(encoding)
    assert read_csv_rows(PATH, content) == ROWS


def test_another_encoding_than_utf_8_is_told(caplog: pytest.LogCaptureFixture) -> None:
    read_csv_rows(PATH, "Müller,Side\n".encode("cp1252"))
    assert "read as Windows-1252" in caplog.text
    caplog.clear()
    read_csv_rows(PATH, "Müller,Side\n".encode())
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("id;size\n1;0,2\n2;0,3\n", [["id", "size"], ["1", "0,2"], ["2", "0,3"]]),
        ("a title\nid,b\n1,x;y\n", [["a title"], ["id", "b"], ["1", "x;y"]]),
        ("sep=;\nid;b\n1;2\n", [[], ["id", "b"], ["1", "2"]]),
        ('id,b\n"1, 2",x\n\n3,4\n', [["id", "b"], ["1, 2", "x"], [], ["3", "4"]]),
        ("id\n1\n", [["id"], ["1"]]),
        ("id,b\r1,2\r", [["id", "b"], ["1", "2"]]),
        ("", []),
    ],
)
def test_separators_and_rows(text: str, rows: list[list[str]]) -> None:
    assert read_csv_rows(PATH, text.encode()) == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n\0\0\0\0\xff\xff", "not a text file"),
        (bytes(range(256)) * 9, "not a text file"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "no CSV file"),
    ],
)
def test_other_files_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(CsvError, match=rf"labels\.csv: {message}"):
        read_csv_rows(PATH, content)
