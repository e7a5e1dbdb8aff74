"""CBIS-DDSM: both spellings of the tables, three trees, masks told from crops, one row per film, no leak."""

import csv
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.data.manifest import ImageRow, Manifest, load_manifest
from mammoseg.data.splits import check_leaks
from mammoseg.ingest.adapters.cbis_ddsm import make_manifest
from mammoseg.ingest.data_set import AdapterError
from mammoseg.io.read import read_mask
from mammoseg.records.label import CLASSES

FILM = np.random.default_rng(0).integers(0, 60000, (40, 30), dtype=np.uint16)
CROP = np.random.default_rng(1).integers(0, 60000, (12, 9), dtype=np.uint16)  # of the film's shape on purpose
UID = "1.3.6.1.4.1.9590.100.1.2"

Row = dict[str, str]


def abnormality(
    kind: str = "mass",
    split: str = "train",
    patient: int = 1,
    side: str = "LEFT",
    view: str = "CC",
    number: int = 1,
    pathology: str = "MALIGNANT",
    **changes: str,
) -> Row:
    """A row of a table. Mask and crop have the names that the tables give them, which differ by kind."""
    film = f"{kind.title()}-{'Training' if split == 'train' else 'Test'}_P_{patient:05d}_{side}_{view}"
    mask, crop = ("000001.dcm", "000000.dcm") if kind == "mass" else ("000000.dcm", "000001.dcm")
    described = {"mass shape": "OVAL", "mass margins": "SPICULATED"}
    if kind == "calc":
        described = {"calc type": "PLEOMORPHIC", "calc distribution": "CLUSTERED"}
    return {
        "patient_id": f"P_{patient:05d}",
        "breast_density" if kind == "mass" else "breast density": "3",
        "left or right breast": side,
        "image view": view,
        "abnormality id": str(number),
        "abnormality type": "mass" if kind == "mass" else "calcification",
        **described,
        "assessment": "4",
        "pathology": pathology,
        "subtlety": "4",
        "image file path": f"{film}/{UID}.1/{UID}.2/000000.dcm",
        "cropped image file path": f"{film}_{number}/{UID}.3/{UID}.4/{crop}\n",
        "ROI mask file path": f"{film}_{number}/{UID}.3/{UID}.4/{mask}",
        **changes,
    }


def square(top: int, left: int, shape: tuple[int, int] = (40, 30), size: int = 4) -> NDArray[np.uint8]:
    mask = np.zeros(shape, np.uint8)
    mask[top : top + size, left : left + size] = 255
    return mask


def write_tables(folder: Path, rows: Sequence[Row]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("mass", "calc"):
        for split in ("train", "test"):
            prefix = f"{kind.title()}-{'Training' if split == 'train' else 'Test'}_"
            mine = [row for row in rows if row["image file path"].startswith(prefix)]
            with (folder / f"{kind}_case_description_{split}_set.csv").open("w", newline="") as file:
                mine = mine or [abnormality(kind, split, pathology="UNKNOWN")]
                writer = csv.DictWriter(file, list(mine[0]))
                writer.writeheader()
                writer.writerows(mine)


@pytest.fixture
def made(tmp_path: Path, write_dicom: Callable[..., Path]) -> Callable[..., Manifest]:
    """`made(rows, {(film folder, number): mask})`: a film of 40 x 30, a mask and a crop for every row."""

    def make(rows: Sequence[Row], masks: dict[str, NDArray[np.generic]] | None = None) -> Manifest:
        root = tmp_path / "cbis"
        write_tables(root, rows)
        for row in rows:
            write_dicom(root / "CBIS-DDSM" / row["image file path"], FILM)
            roi = row["ROI mask file path"].strip()
            mask = (masks or {}).get(roi.split("/")[0], square(4, 4))
            write_dicom(root / "CBIS-DDSM" / roi, mask)
            write_dicom(root / "CBIS-DDSM" / row["cropped image file path"].strip(), CROP)
        return make_manifest(root, tmp_path / "out" / "masks")

    return make


def rows_by_id(manifest: Manifest) -> dict[str, ImageRow]:
    return {row.image_id: row for row in manifest.rows()}


def test_a_row(made: Callable[..., Manifest], tmp_path: Path) -> None:
    manifest = made([abnormality(patient=7, side="RIGHT", view="MLO", pathology="BENIGN_WITHOUT_CALLBACK")])
    [row] = manifest.rows()
    assert (row.patient_id, row.exam_id, row.image_id) == ("P_00007", "P_00007", "P_00007_R_MLO")
    assert (row.laterality, row.view, row.split, row.pixel_mm) == ("R", "MLO", "train", None)
    assert tuple(map(row.labels.get, CLASSES)) == (1, 0)
    assert row.path == tmp_path / f"cbis/CBIS-DDSM/Mass-Training_P_00007_RIGHT_MLO/{UID}.1/{UID}.2/000000.dcm"
    assert (row.masks.get("benign"), row.masks.get("malignant")) == (
        tmp_path / "out" / "masks" / "P_00007_R_MLO_benign.png",
        None,
    )
    assert manifest.table.loc[2, ["density", "birads", "lesion_type", "abnormalities"]].tolist() == [
        "3",
        "4",
        "mass",
        1,
    ]
    manifest.to_csv(manifest.path)
    load_manifest(tmp_path / "out" / "manifest.csv", check_files=True)


@pytest.mark.parametrize("kind", ["mass", "calc"])
def test_the_mask_is_told_from_the_crop_by_its_pixels(made: Callable[..., Manifest], kind: str) -> None:
    [row] = made([abnormality(kind)]).rows()
    assert "malignant" in row.masks
    np.testing.assert_array_equal(read_mask(row.masks["malignant"]), square(4, 4) > 0)


@pytest.mark.parametrize("mask", [square(8, 4, (80, 60), 8), square(8, 4, (80, 60), 8) // 255])
def test_a_mask_of_another_size_is_resized(made: Callable[..., Manifest], mask: NDArray[np.uint8]) -> None:
    [row] = made([abnormality()], {"Mass-Training_P_00001_LEFT_CC_1": mask}).rows()
    assert "malignant" in row.masks
    np.testing.assert_array_equal(read_mask(row.masks["malignant"]), square(4, 2) > 0)


@pytest.mark.parametrize(
    "mask",
    [square(4, 4, (40, 40)), np.zeros((40, 30), np.uint8), FILM],
    ids=["of another film", "empty", "no mask"],
)
def test_a_mask_that_does_not_fit_is_not_used(
    made: Callable[..., Manifest], mask: NDArray[np.generic], caplog: pytest.LogCaptureFixture
) -> None:
    [row] = made([abnormality()], {"Mass-Training_P_00001_LEFT_CC_1": mask}).rows()
    assert (row.labels.get("malignant"), row.masks.get("malignant")) == (1, None)
    assert "1 films have no mask of a class" in caplog.text
    assert "P_00001_L_CC (malignant)" in caplog.text


def test_abnormalities_of_a_film_are_united_by_class(made: Callable[..., Manifest]) -> None:
    rows = [
        abnormality(number=1),
        abnormality(number=2),
        abnormality(number=3, pathology="BENIGN"),
        abnormality("calc", number=1, pathology="BENIGN_WITHOUT_CALLBACK", assessment="5"),
    ]
    names = [row["ROI mask file path"].split("/")[0] for row in rows]
    squares = [square(0, 0), square(10, 10), square(20, 20), square(30, 20)]
    manifest = made(rows, dict(zip(names, squares, strict=True)))
    [row] = manifest.rows()
    assert tuple(map(row.labels.get, CLASSES)) == (1, 1)
    assert "benign" in row.masks
    assert "malignant" in row.masks
    np.testing.assert_array_equal(read_mask(row.masks["malignant"]), (squares[0] | squares[1]) > 0)
    np.testing.assert_array_equal(read_mask(row.masks["benign"]), (squares[2] | squares[3]) > 0)
    expected = ["3", "5", "calcification;mass", 4]
    assert manifest.table.loc[2, ["density", "birads", "lesion_type", "abnormalities"]].tolist() == expected


def test_a_mask_that_is_missing_leaves_none_of_its_class(made: Callable[..., Manifest]) -> None:
    rows = [abnormality(number=1), abnormality(number=2), abnormality(number=3, pathology="BENIGN")]
    [row] = made(rows, {"Mass-Training_P_00001_LEFT_CC_2": np.zeros((40, 30), np.uint8)}).rows()
    assert row.masks.get("malignant") is None
    assert "benign" in row.masks


def test_both_views_of_a_breast_have_the_label_of_its_worst_abnormality(made: Callable[..., Manifest]) -> None:
    found = [
        abnormality(view="CC", pathology="BENIGN"),
        abnormality(view="MLO", pathology="MALIGNANT"),
        abnormality(side="RIGHT", pathology="BENIGN"),
    ]
    rows = rows_by_id(made(found))
    assert [tuple(map(r.labels.get, CLASSES)) for r in rows.values()] == [(1, 1), (1, 1), (1, 0)]
    assert rows["P_00001_L_CC"].masks.get("malignant") is None
    assert "benign" in rows["P_00001_L_CC"].masks


def test_the_test_set_is_kept_whole_and_nobody_is_in_both(
    made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture
) -> None:
    found = [
        abnormality("mass", "train", patient=1, side="LEFT"),
        abnormality("mass", "train", patient=1, side="RIGHT", view="MLO"),
        abnormality("calc", "test", patient=1, side="LEFT", pathology="BENIGN"),
        abnormality("calc", "test", patient=1, side="RIGHT", pathology="BENIGN"),
        abnormality("mass", "train", patient=2),
        abnormality("calc", "train", patient=3),
        abnormality("mass", "test", patient=4),
    ]
    manifest = made(found)
    splits = {row.image_id: row.split for row in manifest.rows()}
    assert splits == {
        **{"P_00001_L_CC": "test", "P_00001_R_CC": "test", "P_00004_L_CC": "test"},
        **{"P_00002_L_CC": "train", "P_00003_L_CC": "train"},
    }
    check_leaks(manifest)
    # What the training tables know of a tested breast counts: this is the truth about the film.
    assert [rows_by_id(manifest)[f"P_00001_{side}_CC"].labels["malignant"] for side in "LR"] == [1, 1]
    assert "1 films of patients in the test tables are left out" in caplog.text
    assert "P_00001_R_MLO" in caplog.text


def test_the_tree_of_newer_downloads(tmp_path: Path, write_dicom: Callable[..., Path]) -> None:
    root = tmp_path / "cbis"
    write_tables(root, [abnormality()])
    patients = root / "manifest-1657064287305" / "CBIS-DDSM"
    film = "08-29-2017-DDSM-NA-96009/1.000000-full mammogram images-63992/1-1.dcm"
    write_dicom(patients / "Mass-Training_P_00001_LEFT_CC" / film, FILM)
    rois = patients / "Mass-Training_P_00001_LEFT_CC_1" / "08-29-2017-DDSM-NA-94942"
    write_dicom(rois / "1.000000-ROI mask images-18515" / "1-1.dcm", CROP)
    write_dicom(rois / "1.000000-ROI mask images-18515" / "1-2.dcm", square(4, 4))
    [row] = make_manifest(root, tmp_path / "masks").rows()
    assert row.path == patients / "Mass-Training_P_00001_LEFT_CC" / film
    assert "malignant" in row.masks


def test_the_tree_of_the_copy_on_kaggle(tmp_path: Path) -> None:
    root = tmp_path / "kaggle"
    write_tables(root / "csv", [abnormality()])
    pixels = (FILM >> 8).astype(np.uint8)
    found = [("Mass-Training_P_00001_LEFT_CC", "1-1", pixels)]
    found += [("Mass-Training_P_00001_LEFT_CC_1", "1-1", (CROP >> 8).astype(np.uint8))]
    found += [("Mass-Training_P_00001_LEFT_CC_1", "2-1", square(8, 8, size=16))]
    lines = ["file_path,image_path,PatientID"]
    for n, (patient, name, image) in enumerate(found):
        place = f"CBIS-DDSM/jpeg/{UID}.{n}/{name}.jpg"
        lines.append(f"CBIS-DDSM/dicom/{UID}.{n}/{name}.dcm,{place},{patient}")
        path = root / place.removeprefix("CBIS-DDSM/")
        path.parent.mkdir(parents=True)
        path.write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    (root / "csv" / "dicom_info.csv").write_text("\n".join([*lines, f"x,CBIS-DDSM/jpeg/{UID}.9/1-1.jpg,Other"]) + "\n")
    [row] = make_manifest(root, tmp_path / "masks").rows()
    assert row.path == root / "jpeg" / f"{UID}.0" / "1-1.jpg"
    assert "malignant" in row.masks
    np.testing.assert_array_equal(read_mask(row.masks["malignant"]), square(8, 8, size=16) > 0)


def test_rows_that_cannot_be_used_and_films_that_are_missing_are_told(
    made: Callable[..., Manifest], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = [abnormality(patient=n) for n in range(1, 5)]
    found[1] |= {"pathology": "UNKNOWN"}
    found[2] |= {"image view": "XCCL"}
    made(found)
    [film] = (tmp_path / "cbis" / "CBIS-DDSM" / "Mass-Training_P_00004_LEFT_CC").rglob("*.dcm")
    film.unlink()
    caplog.clear()
    manifest = make_manifest(tmp_path / "cbis", tmp_path / "masks")
    assert manifest.table["image_id"].tolist() == ["P_00001_L_CC"]
    assert "mass_case_description_train_set.csv: 2 rows left out" in caplog.text
    assert "rows 3, 4" in caplog.text  # records, not lines: every row holds a quoted newline
    assert "1 images of the tables have no file and are left out: P_00004_L_CC" in caplog.text


def test_paths_with_quotes_backslashes_and_a_long_patient_id(made: Callable[..., Manifest], tmp_path: Path) -> None:
    made([abnormality()])
    odd = abnormality(patient_id="Mass-Training_P_00001_LEFT_CC")
    odd = {n: f'"{v}"'.replace("/", "\\") + "\n" if "path" in n and n != "pathology" else v for n, v in odd.items()}
    table = tmp_path / "cbis" / "mass_case_description_train_set.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(odd))
        writer.writeheader()
        writer.writerow(odd)
    [row] = make_manifest(tmp_path / "cbis", tmp_path / "masks").rows()
    assert (row.patient_id, row.masks.get("malignant")) == (
        "P_00001",
        tmp_path / "masks" / "P_00001_L_CC_malignant.png",
    )


@pytest.mark.parametrize("content", [b"", b"DICM", b"\0" * 128 + b"DICM" + b"\xff" * 50])
def test_damaged_files_cost_their_mask_only(
    made: Callable[..., Manifest], tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    made([abnormality(patient=1), abnormality(patient=2)])
    rois = tmp_path / "cbis" / "CBIS-DDSM" / "Mass-Training_P_00001_LEFT_CC_1"
    for path in rois.rglob("000001.dcm"):
        path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "mammoseg"):
        rows = rows_by_id(make_manifest(tmp_path / "cbis", tmp_path / "masks"))
    assert [row.masks.get("malignant") is None for row in rows.values()] == [True, False]


def test_a_pipe_in_place_of_a_mask_is_not_waited_for(made: Callable[..., Manifest], tmp_path: Path) -> None:
    made([abnormality(patient=1), abnormality(patient=2)])
    [mask] = (tmp_path / "cbis" / "CBIS-DDSM" / "Mass-Training_P_00001_LEFT_CC_1").rglob("000001.dcm")
    mask.unlink()
    os.mkfifo(mask)
    rows = rows_by_id(make_manifest(tmp_path / "cbis", tmp_path / "masks"))
    assert [row.masks.get("malignant") is None for row in rows.values()] == [True, False]


def test_other_folders_are_refused(tmp_path: Path, made: Callable[..., Manifest]) -> None:
    with pytest.raises(AdapterError, match=r"mass_case_description_train_set\.csv and .* cannot be found"):
        make_manifest(tmp_path, tmp_path / "masks")
    write_tables(tmp_path / "tables only", [abnormality()])
    with pytest.raises(AdapterError, match="none of the 1 images of the tables is there"):
        make_manifest(tmp_path / "tables only", tmp_path / "masks")
    made([abnormality()])
    (tmp_path / "cbis" / "calc_case_description_test_set.csv").unlink()
    with pytest.raises(AdapterError, match="all are needed"):
        make_manifest(tmp_path / "cbis", tmp_path / "masks")
