"""Tables that are damaged, of another kind or made to harm: a line that names the file, an exit code, nothing written."""

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mammoseg.data.manifest import load_manifest

Command = Callable[..., Any]
Damage = Callable[[bytes], bytes]

ESCAPE = "\x1b[31m"
TABLES = {
    "rsna_2022": "train.csv",
    "embed": "tables/EMBED_OpenData_metadata.csv",
    "inbreast": "INbreast.csv",
    "mini_mias": "Info.txt",
    "cmmd": "CMMD_clinicaldata_revision.csv",
}


def workbook(content: bytes) -> bytes:
    file = io.BytesIO()
    pd.read_csv(io.BytesIO(content), sep="[,;]", engine="python").to_excel(file, index=False)
    return file.getvalue()


def with_column(name: str, cell: str, first_only: bool = False) -> Damage:
    """A further column, with the cell in every row or in the first."""

    def change(content: bytes) -> bytes:
        header, *rows = content.decode().splitlines()
        cells = [cell if at == 0 or not first_only else "" for at in range(len(rows))]
        return "\n".join([f"{header},{name}", *(f"{r},{c}" for r, c in zip(rows, cells, strict=True)), ""]).encode()

    return change


def replaced(old: str, new: str, count: int = 1) -> Damage:
    return lambda content: content.replace(old.encode(), new.encode(), count)


REFUSED: dict[str, tuple[str, Damage, str]] = {
    "empty": ("rsna_2022", lambda _: b"", "are missing; there are none"),
    "white space": ("rsna_2022", lambda _: b" \n\n\t\n", "are missing"),
    "byte order mark and nothing": ("rsna_2022", lambda _: b"\xef\xbb\xbf", "are missing; there are none"),
    "header only": ("rsna_2022", lambda c: c.splitlines()[0] + b"\n", "a header and no rows"),
    "rows of separators": ("rsna_2022", lambda c: c.splitlines()[0] + b"\n,,,,,,,\n,\n", "a header and no rows"),
    "rows only": ("rsna_2022", lambda c: c.partition(b"\n")[2], "are there more than once"),
    "cut within a row": ("rsna_2022", lambda c: c[:-8], "ends in the middle of row 5"),
    "cut within the header": ("rsna_2022", lambda c: c[:30], "are missing"),
    "a quote that is never closed": ("rsna_2022", replaced("10006,1", '"10006,1'), "a quote is never closed"),
    "zero bytes": ("rsna_2022", replaced("10006", "\0"), "holds zero bytes"),
    "semicolons in the header only": ("rsna_2022", lambda c: c.replace(b",", b";", 7), "ends in the middle of row"),
    "binary": ("rsna_2022", lambda _: bytes(range(256)) * 40, "not a text file (it holds zero bytes)"),
    "gzip": ("rsna_2022", lambda _: b"\x1f\x8b\x08" + bytes(100), "not a text file (it holds zero bytes)"),
    "a page of the web": ("rsna_2022", lambda _: b"<html><body>404, not found</body></html>\n", "are missing"),
    "deep brackets": ("rsna_2022", lambda _: b"[" * 100_000, "are missing"),
    "a pointer of Git LFS": ("rsna_2022", lambda _: b"version https://git-lfs\noid sha256:1\n", "are missing"),
    "a column twice": ("rsna_2022", replaced("biopsy", "cancer"), "cancer are there more than once"),
    "a needed column twice": ("rsna_2022", with_column("cancer", "1"), "cancer are there more than once"),
    "a cell of 200 kB": ("rsna_2022", with_column("note", "x" * 200_000), "field larger than field limit"),
    "rows of an image that differ": ("rsna_2022", lambda c: c + c.splitlines()[-1] + b"1\n", "rows 5, 6 have the same"),
    "terminal escapes in the header": ("rsna_2022", replaced("biopsy", f"{ESCAPE}biopsy"), "biopsy are missing"),
    "every row too long": (
        "rsna_2022",
        lambda c: re.sub(rb",(?=CC|MLO)", b",,", c),
        "none of 4 rows has as many cells as",
    ),
    "large table, empty": ("embed", lambda _: b"", "not a readable CSV file"),
    "large table, header only": ("embed", lambda c: c.splitlines()[0] + b"\n", "a header and no rows"),
    "large table, cut": ("embed", lambda c: c[:-4], "ends in the middle of a row"),
    "large table, semicolons": ("embed", lambda c: c.replace(b",", b";"), "are missing"),
    "large table, open quote": ("embed", replaced("11,7", '"11,7'), "not a readable CSV file"),
    "large table, UTF-16": ("embed", lambda c: c.decode().encode("utf-16"), ""),
    "large table, a workbook": ("embed", workbook, ""),
    "large table, binary": ("embed", lambda _: bytes(range(256)) * 40 + b"\n", ""),
    "lines, empty": ("mini_mias", lambda _: b"", "no line names a film"),
    "lines, binary": ("mini_mias", lambda _: bytes(range(256)) * 40, "no line names a film"),
    "lines, UTF-16": ("mini_mias", lambda c: c.decode().encode("utf-16"), "no line names a film"),
    "workbook, damaged": ("cmmd", lambda c: workbook(c)[:2000], "the workbook is damaged"),
    "workbook, header only": ("cmmd", lambda c: workbook(c.splitlines()[0] + b"\n"), "none of the 1 sheets"),
    "workbook, a zip file": ("cmmd", lambda _: b"PK\x05\x06" + bytes(18), ""),
}
"""Name -> data set, how its table is changed, and what the message says."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_is_refused(name: str, tmp_path: Path, published: Callable[..., Path], command: Command) -> None:
    data_set, damage, says = REFUSED[name]
    table = published(data_set, tmp_path / "root") / TABLES[data_set]
    table.write_bytes(damage(table.read_bytes()))
    check_refused(command("adapt", data_set, tmp_path / "root", "--out", tmp_path / "m.csv"), table, says)


def check_refused(done: Any, table: Path, says: str) -> None:
    """One line that names the table; nothing but the data set in its folder."""
    [line] = [line for line in done.err.splitlines() if line.startswith("mammoseg: ")]
    assert done.code == 1
    assert line.startswith(f"mammoseg: {table}: ")
    assert says in line
    assert re.search(r"Expected .*\. [A-Z]", line)
    assert len(line) < 1_000
    assert [path.name for path in table.parents[table.parts[::-1].index("root") - 1].parent.iterdir()] == ["root"]


SPECIAL: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a file of holes": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 2**40),
}


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("data_set", ["rsna_2022", "embed", "mini_mias", "cmmd"])
def test_what_is_no_file(
    special: str, data_set: str, tmp_path: Path, published: Callable[..., Path], command: Command
) -> None:
    table = published(data_set, tmp_path / "root") / TABLES[data_set]
    table.unlink()
    SPECIAL[special](table)
    done = command("adapt", data_set, tmp_path / "root", "--out", tmp_path / "m.csv")
    assert done.code == 1
    done.says(f"mammoseg: {tmp_path / 'root'}", table.name, "Expected")
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


KEPT: dict[str, tuple[str, Damage, int]] = {
    "byte order mark": ("rsna_2022", lambda c: b"\xef\xbb\xbf" + c, 4),
    "Windows line ends": ("rsna_2022", lambda c: c.replace(b"\n", b"\r\n"), 4),
    "old Macintosh line ends": ("rsna_2022", lambda c: c.replace(b"\n", b"\r"), 4),
    "no line end at the end": ("rsna_2022", lambda c: c.rstrip(), 4),
    "empty rows": ("rsna_2022", lambda c: c.replace(b"\n", b"\n\n,\n"), 4),
    "white space around cells": ("rsna_2022", lambda c: c.replace(b",", b" , "), 4),
    "quotes around all cells": ("rsna_2022", lambda c: re.sub(rb"[^,\n]+", rb'"\g<0>"', c), 4),
    "a further column with formulas": ("rsna_2022", with_column("note", "=HYPERLINK(1)"), 4),
    "a further column with escapes": ("rsna_2022", with_column("note", ESCAPE), 4),
    "a further column with letters of all kinds": ("rsna_2022", with_column("note", "Grünwald \u202e\U0001f600"), 4),
    "columns without a name": ("rsna_2022", with_column("", ""), 4),
    "a cell of 100 kB": ("rsna_2022", with_column("note", "x" * 100_000, first_only=True), 4),
    "ages and labels that are no numbers": ("rsna_2022", lambda c: c.replace(b",0,1\n", b",perhaps,#REF!\n"), 4),
    "a row too many cells": ("rsna_2022", replaced("10006,2", "10006,2,"), 3),
    "an id that leaves the folder": ("rsna_2022", replaced("10006,2", "../10006,2"), 3),
    "an id with escapes": ("rsna_2022", replaced("10006,2", f"10006,{ESCAPE}2"), 3),
    "an absolute id": ("rsna_2022", replaced("10006,2", "10006,/etc/passwd"), 3),
    "an id of 300 letters": ("rsna_2022", replaced("10006,2", "10006," + "2" * 300), 3),
    "a side that is none": ("rsna_2022", replaced(",R,", ",=1+1,"), 3),
    "semicolons": ("rsna_2022", lambda c: c.replace(b",", b";"), 4),
    "tabs": ("rsna_2022", lambda c: c.replace(b",", b"\t"), 4),
    "commas instead of semicolons": ("inbreast", lambda c: c.replace(b";", b","), 4),
    "Latin-1": ("rsna_2022", lambda c: with_column("note", "\xe9")(c).replace(b"\xc3\xa9", b"\xe9"), 4),
    "UTF-16": ("rsna_2022", lambda c: c.decode().encode("utf-16"), 4),
    "UTF-16 without a mark": ("rsna_2022", lambda c: c.decode().encode("utf-16-le"), 4),
    "a workbook named .csv": ("rsna_2022", workbook, 4),
    "a row twice": ("rsna_2022", lambda c: c + c.splitlines()[-1] + b"\n", 4),
    "large table, Latin-1": (
        "embed",
        lambda c: with_column("Manufacturer", "\xe9")(c).replace(b"\xc3\xa9", b"\xe9"),
        4,
    ),
    "large table, a side that is none": ("embed", replaced(",L,", ",nan,"), 3),
    "a category that is none": ("inbreast", replaced("4a", "high"), 4),
    "lines that are cut": ("mini_mias", lambda c: c.rstrip()[:-3], 3),
    "a workbook in place of the CSV file": ("cmmd", workbook, 8),
    "workbook with formulas": ("cmmd", lambda c: workbook(with_column("note", "=1+1")(c).replace(b"=1+1", b"1")), 8),
}
"""Name -> data set, how its table is changed, and how many images are left of all."""


@pytest.mark.parametrize("name", KEPT)
def test_a_table_whose_good_rows_are_kept(
    name: str, tmp_path: Path, published: Callable[..., Path], command: Command
) -> None:
    data_set, damage, images = KEPT[name]
    table = published(data_set, tmp_path / "root") / TABLES[data_set]
    whole = len(list(table.parents[0].rglob("*.png"))) or 4
    table.write_bytes(damage(table.read_bytes()))
    before = {path: path.read_bytes() for path in (tmp_path / "root").rglob("*") if path.is_file()}
    done = command("adapt", data_set, tmp_path / "root", "--out", tmp_path / "m.csv")
    assert done.code in (0, 3)
    assert len(load_manifest(tmp_path / "m.csv", check_files=True)) == images
    assert {path: path.read_bytes() for path in (tmp_path / "root").rglob("*") if path.is_file()} == before
    assert {path.name for path in tmp_path.iterdir()} <= {"root", "m.csv", "m_masks", "m_left_out.csv"}
    if images < whole:
        listed = pd.read_csv(tmp_path / "m_left_out.csv")
        assert done.code == 3
        assert listed["why"].str.contains("left out").any()
        assert str(table) in set(listed["source"])


HEADER = "patient_id,exam_id,image_id,laterality,view,path"
ROW = "p,p,i,L,CC,x.png"
MANIFESTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "white space": (b" \n\n", "the file is empty"),
    "header only": (f"{HEADER}\n".encode(), "no rows"),
    "cut within a row": (f"{HEADER}\n{ROW}\np,p,j".encode(), "row 3 '3 cells'"),
    "Latin-1": (f"{HEADER}\n{ROW}é\n".encode("latin-1"), "not UTF-8 text (byte 65, row 2)"),
    "UTF-16": (f"{HEADER}\n{ROW}\n".encode("utf-16"), "not UTF-8 text"),
    "zero bytes": (f"{HEADER}\n{ROW}\0\n".encode(), "holds zero bytes"),
    "semicolons": (f"{HEADER}\n{ROW}\n".replace(",", ";").encode(), "separated by ';'; expected commas"),
    "a workbook": (b"PK\x03\x04" + bytes(30), "this is an Excel workbook"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(30), "this is an Excel workbook"),
    "a damaged Parquet file": (b"PAR1" + bytes(30), "damaged Parquet file"),
    "binary": (bytes(range(256)) * 40, "not UTF-8 text"),
    "an open quote": (f'{HEADER}\n"{ROW}\n'.encode(), "unexpected end of data"),
    "a column twice": (f"{HEADER},path\n{ROW},y.png\n".encode(), "the header holds 'path' 2 times"),
    "a column less": (b"patient_id,image_id\np,i\n", "the column 'exam_id' is missing"),
    "an image twice": (f"{HEADER}\n{ROW}\n{ROW}\n".encode(), "the same image_id more than once"),
    "an id that leaves the folder": (f"{HEADER}\n{ROW}\n".replace(",i,", ",../i,").encode(), "a safe file name"),
    "an id with escapes": (f"{HEADER}\n{ROW}\n".replace(",i,", f",{ESCAPE},").encode(), "a safe file name"),
    "an id of two lines": (f"{HEADER}\n{ROW}\n".replace(",i,", ',"i\nj",').encode(), "a safe file name"),
    "a cell of 200 kB": (f"{HEADER}\n{'x' * 200_000}{ROW}\n".encode(), "field larger than field limit"),
    "a pixel size without end": (f"{HEADER},pixel_mm\n{ROW},inf\n".encode(), "millimetres above 0"),
    "a label that is none": (f"{HEADER},malignant\n{ROW},1e400\n".encode(), "must be 0, 1 or empty"),
    "a mask that is a device": (f"{HEADER},benign_mask\n{ROW},/dev/zero\n".encode(), "there is no such file"),
    "a page of the web": (b"<html><body>404</body></html>\n", "the column 'path' is missing"),
    "deep brackets": (b"[" * 100_000, "is missing"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_is_refused(name: str, tmp_path: Path, command: Command) -> None:
    content, says = MANIFESTS[name]
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    done = command("prepare", "--recipe", "glam_small", "--manifest", path, "--out", tmp_path / "out")
    assert done.code == 1
    done.says(f"mammoseg: {path}: ", says)
    assert ESCAPE not in done.err
    assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["m.csv"]


@pytest.mark.parametrize("special", SPECIAL)
def test_a_manifest_that_is_no_file(special: str, tmp_path: Path, command: Command) -> None:
    SPECIAL[special](tmp_path / "m.csv")
    done = command("prepare", "--recipe", "glam_small", "--manifest", tmp_path / "m.csv", "--out", tmp_path / "out")
    assert done.code == 1
    done.says(f"mammoseg: {tmp_path / 'm.csv'}: the manifest cannot be read (")
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]
