"""INbreast: labels by BI-RADS of the breast, contours of OsiriX into masks, patients from file names."""

import os
import plistlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow, Manifest, load_manifest
from mammoseg.ingest.adapters.inbreast import make_manifest
from mammoseg.ingest.data_set import AdapterError
from mammoseg.ingest.tables import TableError
from mammoseg.io.read import read_mask
from mammoseg.records.label import CLASSES

HEADER = "Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Bi-Rads"
SHAPE = (40, 30)
SQUARE = [(4, 6), (10, 6), (10, 12), (4, 12)]

Image = tuple[int, str, str, str]
"""Number of the file, side, view, BI-RADS."""
Contour = tuple[str, Sequence[tuple[float, float]]]


def osirix(contours: Sequence[Contour]) -> bytes:
    rois = [
        {"Area": 0.5, "Center": "(1, 2, 3)", "IndexInImage": n, "Name": name, "NumberOfPoints": len(points)}
        | {"Point_mm": ["(0, 0, 0)"] * len(points), "Point_px": [f"({x:.6f}, {y:.6f})" for x, y in points], "Type": 15}
        for n, (name, points) in enumerate(contours)
    ]
    return plistlib.dumps({"Images": [{"ImageIndex": 0, "NumberOfROIs": len(rois), "ROIs": rois}]})


@pytest.fixture
def made(tmp_path: Path, write_dicom: Callable[..., Path]) -> Callable[..., Manifest]:
    """`made(images, {number: contours or bytes})`; all of patient aa, in 2010-01, unless the row says otherwise."""

    def make(images: Sequence[Image], contours: dict[int, object] | None = None, patient: str = "aa") -> Manifest:
        root = tmp_path / "INbreast Release 1.0"
        lines = [HEADER]
        for number, side, view, birads in images:
            lines.append(f"removed;removed;{side};{view};201001;{number};2;{birads}")
            name = f"{number}_{patient}_MG_{side}_{'ML' if view == 'MLO' else view}_ANON.dcm"
            write_dicom(root / "AllDICOMs" / name, np.zeros(SHAPE, np.uint16))
        (root / "INbreast.csv").write_text("\n".join(lines) + "\n")
        (root / "AllXML").mkdir()
        for number, found in (contours or {}).items():
            content = found if isinstance(found, bytes) else osirix(found)  # type: ignore[arg-type]
            (root / "AllXML" / f"{number}.xml").write_bytes(content)
        return make_manifest(root, tmp_path / "out" / "masks")

    return make


def rows_by_id(manifest: Manifest) -> dict[str, ImageRow]:
    return {row.image_id: row for row in manifest.rows()}


def test_a_row(made: Callable[..., Manifest], tmp_path: Path) -> None:
    manifest = made([(20586908, "R", "MLO", "4a")], {20586908: [("Mass", SQUARE)]}, "6c613a14b80a8591")
    [row] = manifest.rows()
    assert (row.patient_id, row.exam_id) == ("6c613a14b80a8591", "6c613a14b80a8591_201001")
    assert (row.image_id, row.laterality, row.view, row.pixel_mm) == ("20586908", "R", "MLO", 0.07)
    assert row.path.name == "20586908_6c613a14b80a8591_MG_R_ML_ANON.dcm"
    assert (row.labels.get("benign"), row.labels.get("malignant"), row.masks.get("benign")) == (None, 1, None)
    assert row.masks.get("malignant") == tmp_path / "out" / "masks" / "20586908_malignant.png"
    expected = np.zeros(SHAPE, dtype=bool)
    expected[6:13, 4:11] = True
    np.testing.assert_array_equal(read_mask(row.masks["malignant"]), expected)
    assert manifest.table.loc[2, ["birads", "density", "lesion_type"]].tolist() == ["4a", "2", "Mass"]
    manifest.to_csv(manifest.path)
    load_manifest(tmp_path / "out" / "manifest.csv", check_files=True)


@pytest.mark.parametrize(
    ("birads", "labels"),
    [
        ("1", (0, 0)),
        ("2", (1, 0)),
        ("3", (None, None)),
        *((b, (None, 1)) for b in ("4", "4a", "4b", "4c", "5", "6")),
        *((b, (None, None)) for b in ("", "0", "7", "4d", "12")),
    ],
)
def test_labels_follow_the_birads(
    made: Callable[..., Manifest], birads: str, labels: tuple[int | None, int | None]
) -> None:
    [row] = made([(1, "L", "CC", birads)]).rows()
    assert tuple(map(row.labels.get, CLASSES)) == labels


def test_the_highest_category_of_the_breast_counts(made: Callable[..., Manifest]) -> None:
    images = [(1, "R", "CC", "4a"), (2, "R", "MLO", "5"), (3, "L", "CC", "2"), (4, "L", "MLO", ""), (5, "L", "FB", "1")]
    manifest = made(images)
    assert [tuple(map(r.labels.get, CLASSES)) for r in manifest.rows()] == [(None, 1)] * 2 + [(1, 0)] * 3
    assert manifest.table["birads"].fillna("").tolist() == ["4a", "5", "2", "", "1"]
    assert manifest.table["view"].tolist()[-1] == "FB"


def test_contours_go_to_the_class_of_their_image(
    made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture
) -> None:
    images = [
        *((1, "R", "CC", "2"), (2, "R", "MLO", "3"), (3, "L", "CC", "2"), (4, "L", "MLO", "1")),
        (5, "L", "CC", "2"),
    ]
    rows = rows_by_id(made(images, {n: [("Mass", SQUARE)] for n in (1, 2, 3, 4)}))
    assert {n for n, row in rows.items() if row.masks.get("benign")} == {"3"}  # breast R is BI-RADS 3 in all: unknown
    assert not [n for n, row in rows.items() if row.masks.get("malignant")]
    assert "contours of 3 images are of no class by their BI-RADS and in no mask: 1, 2, 4" in caplog.text


def test_all_contours_of_an_image_are_united_points_too(made: Callable[..., Manifest]) -> None:
    found: list[Contour] = [
        ("Calcification", [(20.4, 30.2)]),
        ("Cluster", SQUARE),
        ("Point 1", [(1, 1), (2, 1)]),
        ("", [(25, 35), (25, 36), (26, 36)]),
        ("Calcification", []),
        ("Mass", [(28, 38), (60, 38), (60, 60), (28, 60)]),
    ]
    manifest = made([(1, "L", "CC", "5")], {1: found})
    [row] = manifest.rows()
    assert "malignant" in row.masks
    mask = read_mask(row.masks["malignant"])
    assert mask.sum() == 1 + 49 + 2 + 3 + 4
    assert mask[30, 20]
    assert mask[38:, 28:].all()
    assert manifest.table.loc[2, "lesion_type"] == "Calcification;Cluster;Mass;Point 1;Unnamed"


BOMB = b'<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><plist><string>&b;</string></plist>'


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"no xml", b"<plist><dict>", BOMB, plistlib.dumps([1]), plistlib.dumps({"Images": [{}]})),
        plistlib.dumps({"Images": []}, fmt=plistlib.FMT_BINARY),
        plistlib.dumps({"Images": [{"ROIs": [{"Point_px": ["(a, b)"]}]}]}),
        plistlib.dumps({"Images": [{"ROIs": [{"Point_px": [3]}]}]}),
        osirix([("Mass", [(float("nan"), 1)])]),
        osirix([("Mass", [(1e300, 1)])]),
    ],
)
def test_contour_files_that_cannot_be_read_cost_their_mask_only(
    made: Callable[..., Manifest], content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    rows = rows_by_id(made([(1, "L", "CC", "5"), (2, "L", "MLO", "5")], {1: content, 2: [("Mass", SQUARE)]}))
    assert rows["1"].masks.get("malignant") is None
    assert "malignant" in rows["2"].masks
    assert "contours of 1 images cannot be read or drawn: 1" in caplog.text


def test_what_is_left_out_is_told(made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture) -> None:
    images = [(1, "L", "CC", "1"), (2, "L", "CC", "1"), (3, "R", "CC", "1")]
    root = made(images).table["path"].iloc[0]
    folder = Path(root).parent
    next(folder.glob("2_*")).unlink()
    next(folder.glob("3_*")).rename(folder / "3_aa_MG_L_CC_ANON.dcm")
    caplog.clear()
    assert make_manifest(folder.parent, folder.parent / "masks").table["image_id"].tolist() == ["1"]
    assert "2 rows left out, the image of their file name and side cannot be used: rows 3, 4" in caplog.text


def test_a_pipe_in_place_of_contours_is_not_waited_for(made: Callable[..., Manifest], tmp_path: Path) -> None:
    folder = Path(made([(1, "L", "CC", "5")]).table["path"].iloc[0]).parent.parent
    os.mkfifo(folder / "AllXML" / "1.xml")
    [row] = make_manifest(folder, tmp_path / "masks").rows()
    assert row.masks.get("malignant") is None


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"INbreast\.csv cannot be found"):
        make_manifest(tmp_path, tmp_path / "masks")
    (tmp_path / "INbreast.csv").write_text("Laterality,View\n")
    with pytest.raises(TableError, match="columns Acquisition date, File Name, ACR, Bi-Rads are missing"):
        make_manifest(tmp_path, tmp_path / "masks")
    (tmp_path / "INbreast.csv").write_text(f"{HEADER}\nremoved;removed;L;CC;201001;1;2;2\n")
    with pytest.raises(AdapterError, match="none of the 0 images"):
        make_manifest(tmp_path, tmp_path / "masks")
