"""mini-MIAS: circles from the bottom left, several lesions, unknown places, and the real films where they are."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow, Manifest, load_manifest
from mammoseg.ingest.adapters.mini_mias import make_manifest
from mammoseg.ingest.data_set import AdapterError
from mammoseg.ingest.drawing import draw_mask
from mammoseg.io.read import read_mask
from mammoseg.records.label import CLASSES

INTRODUCTION = "MAMMOGRAPHIC IMAGE ANALYSIS SOCIETY\n\nThe films mdb001 and on.\n1st column: MIAS reference number.\n\n"


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Manifest]:
    """`made(lines of Info.txt)` with a film of 1024 x 1024 pixels for each name."""

    def make(*lines: str, size: int = 1024, suffix: str = ".pgm") -> Manifest:
        root = tmp_path / "mias"
        (root / "images").mkdir(parents=True)
        (root / "Info.txt").write_text(INTRODUCTION + "\n".join(lines) + "\n")
        for name in {line.split()[0] for line in lines}:
            pixels = np.full((size, size), 9, np.uint8)
            (root / "images" / f"{name}{suffix}").write_bytes(cv2.imencode(suffix, pixels)[1].tobytes())
        return make_manifest(root, tmp_path / "out" / "masks")

    return make


def rows_by_id(manifest: Manifest) -> dict[str, ImageRow]:
    return {row.image_id: row for row in manifest.rows()}


def test_rows(made: Callable[..., Manifest], tmp_path: Path) -> None:
    manifest = made("mdb001 G CIRC B 535 425 197", "mdb002 G NORM ", "mdb003 D NORM")
    first, second, third = manifest.rows()
    assert [r.patient_id for r in (first, second, third)] == ["mias001", "mias001", "mias002"]
    assert [r.laterality for r in (first, second, third)] == ["R", "L", "R"]
    assert (first.view, first.pixel_mm, first.horizontal_flip) == ("MLO", 0.2, False)
    assert first.path == tmp_path / "mias" / "images" / "mdb001.pgm"
    assert [tuple(map(r.labels.get, CLASSES)) for r in (first, second, third)] == [
        (1, 0),
        (0, 0),
        (0, 0),
    ]
    assert manifest.table["density"].tolist() == ["G", "G", "D"]
    assert manifest.table["lesion_type"].tolist() == ["CIRC", "NORM", "NORM"]
    assert [r.masks.get("benign") for r in (second, third)] == [None, None]
    manifest.to_csv(manifest.path)
    load_manifest(tmp_path / "out" / "manifest.csv", check_files=True)


def test_y_counts_from_the_bottom(made: Callable[..., Manifest], tmp_path: Path) -> None:
    made("mdb001 G CIRC B 535 425 20")
    mask = read_mask(tmp_path / "out" / "masks" / "mdb001_benign.png")
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (579, 619, 515, 555)
    assert mask.shape == (1024, 1024)


def test_several_lesions_of_both_classes(made: Callable[..., Manifest], tmp_path: Path) -> None:
    manifest = made("mdb001 F CIRC B 100 900 5", "mdb001 F MISC M 300 500 7", "mdb001 F CIRC B 200 800 9")
    [row] = manifest.rows()
    assert tuple(map(row.labels.get, CLASSES)) == (1, 1)
    masks = tmp_path / "out" / "masks"
    expected = draw_mask((1024, 1024), circles=[(100, 124, 5), (200, 224, 9)])
    np.testing.assert_array_equal(read_mask(masks / "mdb001_benign.png"), expected)
    assert read_mask(masks / "mdb001_malignant.png")[524, 300]
    assert manifest.table["lesion_type"].tolist() == ["CIRC;MISC"]


def test_an_unknown_place_is_no_mask(made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture) -> None:
    rows = rows_by_id(
        made(
            "mdb001 F CIRC B",
            "mdb002 F CALC M *NOTE 3*",
            "mdb003 F CALC M 5000 500 5",
            *("mdb004 F CIRC B 100 900 5", "mdb004 F CALC B"),
            "mdb005 F CIRC B 1020 1020 20",
        )
    )
    assert [tuple(map(r.labels.get, CLASSES)) for r in rows.values()] == [
        (1, 0),
        (0, 1),
        (0, 1),
        (1, 0),
        (1, 0),
    ]
    assert [i for i, r in rows.items() if r.masks.get("benign") or r.masks.get("malignant")] == ["mdb005"]
    assert "4 films have lesions without a place on the film" in caplog.text


@pytest.mark.parametrize("line", ["mdb001 F CIRC X 1 2 3", "mdb001 Q CIRC B 1 2 3", "mdb001 F NORM B", "mdb001 F CIRC"])
def test_a_film_with_a_line_that_cannot_be_read_is_left_out(
    made: Callable[..., Manifest], line: str, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = made("mdb001 F CIRC B 100 900 5", line, "mdb002 F NORM")
    assert manifest.table["image_id"].tolist() == ["mdb002"]
    assert "1 films have a line that cannot be read and are left out: mdb001" in caplog.text


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_converted_films(made: Callable[..., Manifest], suffix: str) -> None:
    [row] = made("mdb001 F CIRC B 100 900 5", suffix=suffix).rows()
    assert row.path.suffix == suffix
    assert "benign" in row.masks


def test_resized_films_have_no_masks(made: Callable[..., Manifest]) -> None:
    [row] = made("mdb001 F CIRC B 100 900 5", size=512).rows()
    assert (row.labels.get("benign"), row.masks.get("benign")) == (1, None)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"Info\.txt cannot be found"):
        make_manifest(tmp_path, tmp_path / "masks")
    (tmp_path / "Info.txt").write_text("mdb001 G NORM\n")
    with pytest.raises(AdapterError, match="none of the 1 images"):
        make_manifest(tmp_path, tmp_path / "masks")


@pytest.mark.shared
def test_the_real_films(shared: Path, tmp_path: Path) -> None:
    manifest = make_manifest(shared / "data" / "mias_dev", tmp_path / "masks")
    table = manifest.table
    assert (len(table), table["patient_id"].nunique()) == (200, 100)
    assert (table["malignant"].sum(), table["benign"].sum()) == (32, 37)
    without = {
        name: table.loc[(table[name] == 1) & table[f"{name}_mask"].isna(), "image_id"].tolist()
        for name in ("benign", "malignant")
    }
    assert without == {"benign": ["mdb059"], "malignant": ["mdb216", "mdb233", "mdb245"]}
    assert read_mask(tmp_path / "masks" / "mdb005_benign.png")[[891, 856], [477, 500]].all()
