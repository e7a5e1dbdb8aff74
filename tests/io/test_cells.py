"""No cell of a table is a formula to a spreadsheet, and reading gives back what was written."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mammoseg.io.cells import csv_text, escape, unescape, unescaped, utf8_text

FORMULAS = ("=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=", "-", "'=1", "''@x", "-1-1", "+1 234", "--1", "=-1")
PLAIN = ("", "'", "'a", "a=b", "1-2", "-1", "+1.5", "-.5e-3", "-0.25", "P002_left", " =1", "ü", "''", "-7.")


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_texts(text: str) -> None:
    assert escape(text) == f"'{text}"
    assert unescape(escape(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_the_rest_stays(text: str) -> None:
    assert escape(text) == text
    assert unescape(text) == text


@given(st.text(alphabet="'=+-@\t\r1.ae \n\"", max_size=6))
def test_reading_is_the_opposite_of_writing(text: str) -> None:
    assert unescape(escape(text)) == text


@pytest.mark.parametrize("value", [-1, -0.5, None, float("nan"), True])
def test_what_is_no_text_stays(value: object) -> None:
    assert escape(value) is value
    assert unescape(value) is value


def test_a_table() -> None:
    table = pd.DataFrame({"image_id": [*FORMULAS, *PLAIN], "=score": [-0.125] * 28, "n": [None] * 28})
    text = csv_text(table)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["image_id", "'=score", "n"]
    assert {row[1] for row in rows[1:]} == {"-0.125"}
    assert not any(row[0][:1] in ("=", "@", "\t", "\r") for row in rows)
    read = unescaped(pd.read_csv(io.StringIO(text, newline=""), dtype=str, keep_default_na=False, lineterminator="\n"))
    assert list(read) == ["image_id", "=score", "n"]
    assert read["image_id"].tolist() == [*FORMULAS, *PLAIN]


def test_the_text_of_a_csv_file() -> None:
    assert utf8_text("\ufeffid,ä\n".encode()) == "id,ä\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04", "this is an Excel workbook. Expected a CSV file"),
        (b"a,b\n1,\xe9\n", r"not UTF-8 text \(byte 6, row 2\)"),
        (b"a,\0\n", "holds zero bytes"),
    ],
)
def test_another_file_is_told(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        utf8_text(content)
