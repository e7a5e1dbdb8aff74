"""Manifests: what is accepted, how it looks in memory, and that every problem of a broken file is told at once."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mammoseg.data.columns import ManifestError
from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.records.label import CLASSES

HEADER = "patient_id,exam_id,image_id,laterality,view,path"
GOOD = f"""{HEADER},benign,malignant,split,scanner
007,0071,a-1,L,CC,images/a1.png,0,1,train,X
007,0071,a-2,L,MLO,images/a2.png,,1,train,
008,0081,b_1,right,mlo,images/b1.png,1,,val,Y
"""


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "manifest.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refused(path: Path, *expected: str, check_files: bool = False) -> str:
    with pytest.raises(ManifestError) as caught:
        load_manifest(path, check_files)
    message = str(caught.value)
    assert str(path) in message
    for text in expected:
        assert text in message, message
    return message


def test_reads_a_good_file(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, GOOD))
    assert len(manifest) == 3
    table = manifest.table
    assert table["patient_id"].tolist() == ["007", "007", "008"]
    assert table["laterality"].tolist() == ["L", "L", "R"]
    assert table["view"].tolist() == ["CC", "MLO", "MLO"]
    assert table["path"].tolist()[0] == str(tmp_path / "images" / "a1.png")
    assert table["scanner"].tolist() == ["X", None, "Y"]
    assert table["pixel_mm"].isna().all()
    assert table["malignant_mask"].tolist() == [None] * 3
    np.testing.assert_array_equal(table[list(CLASSES)], [[0, 1], [np.nan, 1], [1, np.nan]])
    assert table["benign"].dtype == np.float64


def test_unknown_never_becomes_zero(tmp_path: Path) -> None:
    rows = list(load_manifest(write(tmp_path, GOOD)).rows())
    assert tuple(map(rows[1].labels.get, CLASSES)) == (None, 1)
    assert tuple(map(rows[0].labels.get, CLASSES)) == (0, 1)
    np.testing.assert_array_equal(rows[1].label_K(("malignant", "benign")), [1, np.nan])
    assert (rows[0].masks, rows[0].boxes, rows[0].heatmaps) == ({}, {}, {})
    assert rows[0].horizontal_flip is None
    assert rows[0].pixel_mm is None
    assert rows[0].breast_key == ("0071", "L")


def test_optional_values(tmp_path: Path) -> None:
    for name in ("m.png", "h.tif"):
        (tmp_path / name).touch()
    text = (
        f"{HEADER},benign,malignant,malignant_mask,benign_heatmap,study_date,pixel_mm,horizontal_flip,manufacturer\n"
        "p,e,i,LEFT,CC,x.png,False,1.0,m.png,h.tif,2024-03-31,0.07,yes,Maker\n"
        "p,e,j,r,CC,/abs/y.png,0.0,TRUE,,,2024-03-31 10:00:00,7e-2,NO,\n"
    )
    rows = list(load_manifest(write(tmp_path, text)).rows())
    assert rows[0].masks.get("malignant") == tmp_path / "m.png"
    assert rows[0].heatmaps == {"benign": tmp_path / "h.tif"}
    assert rows[1].heatmaps == {}
    assert [r.horizontal_flip for r in rows] == [True, False]
    assert [r.pixel_mm for r in rows] == [0.07, 0.07]
    assert [r.manufacturer for r in rows] == ["Maker", None]
    assert [r.study_date for r in rows] == ["2024-03-31"] * 2
    assert [tuple(map(r.labels.get, CLASSES)) for r in rows] == [(0, 1), (0, 1)]
    assert rows[1].path == Path("/abs/y.png")
    image = rows[0].mammogram(np.zeros((2, 2), np.uint8))
    assert (image.laterality, image.view, image.image_id, image.pixel_mm, image.horizontal_flip) == (
        "L",
        "CC",
        "i",
        0.07,
        True,
    )


def test_the_frame_of_masks(tmp_path: Path) -> None:
    text = f"{HEADER},mask_frame\np,e,i,L,CC,x.png,window\np,e,j,L,CC,x.png, Image\np,e,k,L,CC,x.png,\n"
    manifest = load_manifest(write(tmp_path, text))
    assert [row.mask_frame for row in manifest.rows()] == ["window", "image", None]
    manifest.to_csv(tmp_path / "copy.csv")
    assert [row.mask_frame for row in load_manifest(tmp_path / "copy.csv").rows()] == ["window", "image", None]
    refused(
        write(tmp_path, text.replace("window", "crop")),
        "mask_frame must be image, window or empty (image) (1 row): row 2 'crop'",
    )
    assert next(load_manifest(write(tmp_path, GOOD)).rows()).mask_frame is None


def test_rows_about_some_classes_know_nothing_of_the_others(tmp_path: Path) -> None:
    for name in ("b.png", "m.png"):
        (tmp_path / name).touch()
    text = (
        f"{HEADER},benign,malignant,benign_mask,malignant_mask,benign_heatmap\np,e,i,L,CC,x.png,1,0,b.png,m.png,b.png\n"
    )
    manifest = load_manifest(write(tmp_path, text))
    [alone], [both] = manifest.rows(("malignant",)), manifest.rows()
    assert (alone.labels, alone.masks) == ({"malignant": 0}, {"malignant": tmp_path / "m.png"})
    assert alone.heatmaps == {"benign": tmp_path / "b.png"}, "heatmaps are what the model sees, not what it is told"
    assert replace(alone, labels=both.labels, masks=both.masks) == both


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "patient_id": [1, 1],
            "exam_id": ["07", "07"],
            "image_id": ["a", "b"],
            "laterality": ["L", "R"],
            "view": ["CC", "CC"],
            "path": ["a.png", "b.png"],
            "malignant": [1.0, np.nan],
            "benign": pd.array([True, None], dtype="boolean"),
            "study_date": pd.to_datetime(["2024-01-02", None]),
            "age": [50, 60],
        }
    )
    path = tmp_path / "m.parquet"
    table.to_parquet(path)
    manifest = load_manifest(path)
    assert manifest.table["patient_id"].tolist() == ["1", "1"]
    assert manifest.table["exam_id"].tolist() == ["07", "07"]
    np.testing.assert_array_equal(manifest.table[list(CLASSES)], [[1, 1], [np.nan, np.nan]])
    assert manifest.table["study_date"].tolist() == ["2024-01-02", None]
    assert manifest.table["age"].tolist() == [50, 60]
    path.write_bytes(path.read_bytes()[:100])
    refused(path, "damaged Parquet")


def test_spreadsheet_oddities_are_harmless(tmp_path: Path) -> None:
    text = f'\ufeff{HEADER},,\r\np,e,i,L,CC,"a, b.png",,\r\n,,,,,,,\r\n\r\np,e,j,R,CC, b.png ,,\r\n'
    manifest = load_manifest(write(tmp_path, text))
    assert [Path(p).name for p in manifest.table["path"]] == ["a, b.png", "b.png"]
    assert next(iter(manifest.table)) == "patient_id"


def test_all_problems_are_told_at_once_with_spreadsheet_rows(tmp_path: Path) -> None:
    text = (
        f"{HEADER},benign,malignant,split,study_date,pixel_mm,horizontal_flip,malignant_mask\n"
        ",e1,ok1,L,CC,x.png,0,0,train,,,,\n"  # row 2: no patient
        "\n"  # row 3: blank
        "p1,e1,../x,L,CC,x.png,2,0,train,,,,\n"  # row 4: id, benign
        "p2,e2,dup,Q,CC,x.png,0,maybe,valid,,,,\n"  # row 5: side, malignant, split
        "p2,e2,DUP,R,CC,,0,,,31.03.2024,-1,perhaps,none.png\n"  # row 6: several
        "p3,e3,c1,L,CC,x.png,,0,train,,200,,\n"  # row 7: pixel size in micrometres
        "p3,e3,c2,L,MLO,x.png,,1,test,,,,\n"  # row 8: contradicts row 7, patient in two splits
        "p4,e3,c3,R,MLO,x.png,,1,test,,,,\n"  # row 9: exam of two patients
    )
    refused(
        write(tmp_path, text),
        "patient_id is empty (1 row): row 2",
        "image_id must be a safe file name: letters, digits, . _ - (1 row): row 4 '../x'",
        "benign must be 0, 1 or empty (unknown) (1 row): row 4 '2'",
        "laterality must be L or R (1 row): row 5 'Q'",
        "malignant must be 0, 1 or empty (unknown) (1 row): row 5 'maybe'",
        "split must be one of train, val, test or empty (1 row): row 5 'valid'",
        "path is empty (1 row): row 6",
        "study_date must be an ISO date such as 2024-03-31, or empty (1 row): row 6 '31.03.2024'",
        "such as 0.07, or empty (2 rows): row 6 '-1'; row 7 '200'",
        "horizontal_flip must be YES, NO or empty (1 row): row 6 'perhaps'",
        "malignant_mask: there is no such file (1 row): row 6",
        "the same image_id more than once",
        "rows 5, 6",
        "malignant differs between images of the same breast (1 case): rows 7, 8",
        "the same exam_id for different patients (1 case): rows 7, 8, 9",
        "the same patient in different splits (1 case): rows 7, 8",
    )


def test_no_patient_in_messages(tmp_path: Path) -> None:
    text = f"{HEADER},split\nSecretName,e1,a,L,CC,x.png,train\nSecretName,e2,b,L,CC,y.png,test\n"
    assert "SecretName" not in refused(write(tmp_path, text), "rows 2, 3")


def test_long_lists_are_cut(tmp_path: Path) -> None:
    lines = [f"p,e,i{n},X,CC,a.png" for n in range(1000)]
    message = refused(
        write(tmp_path, "\n".join([HEADER, *lines])), "(1000 rows): row 2 'X'", "row 6 'X' ... and 995 more"
    )
    assert len(message) < 1000
    lines = [f"p,e,same,{'LR'[n % 2]},CC,a.png" for n in range(1000)]
    assert len(refused(write(tmp_path, "\n".join([HEADER, *lines])), "rows 2, 3, 4, 5, 6 and 995 more")) < 1000


def test_missing_columns_with_a_guess(tmp_path: Path) -> None:
    refused(
        write(tmp_path, "PatientID,exam_id,image id,laterality,view,path,Malignant\np,e,i,L,CC,a.png,1\n"),
        "the column 'patient_id' is missing (there is 'PatientID'",
        "the column 'image_id' is missing (there is 'image id'",
        "the column 'Malignant' must be written 'malignant'",
    )


def test_a_misspelt_optional_column_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        load_manifest(write(tmp_path, f"{HEADER},malignent\np,e,i,L,CC,a.png,1\n"))
    assert "malignent" in caplog.text


def test_twice_the_same_column(tmp_path: Path) -> None:
    refused(write(tmp_path, f"{HEADER},path\np,e,i,L,CC,a.png,b.png\n"), "the header holds 'path' 2 times")
    refused(write(tmp_path, f"{HEADER},,x\np,e,i,L,CC,a.png,b,c\n"), "the header holds '' 1 times")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (HEADER.encode(), "no rows"),
        (GOOD.replace(",", ";").encode(), "separated by ';'"),
        (GOOD.replace(",", "\t").encode(), "separated by '\\t'"),
        (GOOD.encode("utf-16"), "not UTF-8"),
        ((GOOD + "p,e,m\xfcller,L,CC,a.png,,,,\n").encode("latin-1"), "not UTF-8 text (byte 218, row 5)"),
        (b"PK\x03\x04rest of a workbook", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest of an old workbook", "Excel workbook"),
        (b"abc\0def", "zero bytes"),
        (GOOD.encode() + b'p,"e,i\n', "near line"),
        (GOOD.encode() + b"p,e,i,L,CC,a.png\n", "(1 row): row 5 '6 cells'"),
        (GOOD.encode() + b"p,e,i,L,CC,a,b.png,0,0,train,X\n", "is not that of the header (10"),
    ],
)
def test_files_that_are_no_manifest(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(data)
    refused(path, expected)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused(tmp_path / "none.csv", "cannot be read (No such file")
    with pytest.raises(ManifestError, match="cannot be read"):
        load_manifest(tmp_path)


def test_image_files_are_checked_on_request(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    load_manifest(path)
    refused(path, "path: there is no such file (3 rows): row 2", check_files=True)


def test_subset(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, GOOD))
    assert manifest.subset("train").table["image_id"].tolist() == ["a-1", "a-2"]
    with pytest.raises(ManifestError, match=r"no image has split 'test'.*'train': 2, 'val': 1"):
        manifest.subset("test")


def test_rows_without_a_split_are_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, GOOD + "009,0091,c,R,CC,c.png,0,0,,\n007,0072,a-3,L,CC,a3.png,,,,\n")
    with caplog.at_level(logging.WARNING):
        assert load_manifest(path).subset("train", "val").table["image_id"].tolist() == ["a-1", "a-2", "b_1"]
    assert caplog.messages == [f"{path}: 2 of 5 images have no split and are left out"]


def test_a_patient_with_a_split_in_some_rows_only(tmp_path: Path) -> None:
    """As merged cells of a spreadsheet are saved."""
    manifest = load_manifest(write(tmp_path, GOOD.replace("a2.png,,1,train", "a2.png,,1,")))
    with pytest.raises(
        ManifestError, match=r"1 labelled images have no split though .* first in row 3\. .*merged cells"
    ):
        manifest.subset("val")


def test_written_and_read_back(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, GOOD))
    manifest.to_csv(tmp_path / "copy.csv")
    text = (tmp_path / "copy.csv").read_text()
    assert "007,0071,a-1,L,CC,images/a1.png,0,1,train,X\n" in text
    assert "007,0071,a-2,L,MLO,images/a2.png,,1,train,\n" in text
    again = load_manifest(tmp_path / "copy.csv")
    pd.testing.assert_frame_equal(again.table, manifest.table)
    manifest.to_csv(tmp_path / "other" / "copy.csv")
    assert load_manifest(tmp_path / "other" / "copy.csv").table["path"].tolist() == manifest.table["path"].tolist()


def test_cells_are_no_formulas_and_read_back(tmp_path: Path) -> None:
    table = load_manifest(write(tmp_path, GOOD)).table.assign(
        patient_id=["=1+1", "+A", "-7"], exam_id=["@x", "'=y", "'z"], **{"=header": ["-1+1", "-1", "+x"]}
    )
    manifest = Manifest.from_table(table, tmp_path / "formulas.csv")
    manifest.to_csv(manifest.path)
    header, *rows = (tmp_path / "formulas.csv").read_text().splitlines()
    assert header.endswith(",'=header")
    assert [row.split(",")[:2] for row in rows] == [["'=1+1", "'@x"], ["'+A", "''=y"], ["-7", "'z"]]
    again = load_manifest(tmp_path / "formulas.csv")
    pd.testing.assert_frame_equal(again.table, manifest.table, check_dtype=False)
    assert again.sha256() == manifest.sha256()


def test_a_manifest_that_never_ends() -> None:
    refused(Path("/dev/zero"), "the manifest cannot be read (no regular file")


def test_tables_made_in_memory_get_the_same_checks(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"patient_id": ["p"], "exam_id": ["e"], "image_id": ["i"], "laterality": ["L"], "view": ["CC"]}
    )
    with pytest.raises(ManifestError, match="'path' is missing"):
        Manifest.from_table(table, tmp_path / "m.csv")
    manifest = Manifest.from_table(table.assign(path="i.png", malignant=np.nan), tmp_path / "m.csv")
    assert manifest.table["path"].tolist() == [str(tmp_path / "i.png")]
    assert manifest.table[list(CLASSES)].isna().all(axis=None)


def test_a_pixel_size_fills_in_what_is_unknown(tmp_path: Path) -> None:
    table = load_manifest(write(tmp_path, GOOD)).table
    manifest = Manifest(table.assign(pixel_mm=[0.1, *[np.nan] * (len(table) - 1)]), tmp_path / "m.csv")
    assert manifest.with_pixel_mm(0.2).table["pixel_mm"].tolist() == [0.1, *[0.2] * (len(table) - 1)]
    assert manifest.with_pixel_mm(None) is manifest
