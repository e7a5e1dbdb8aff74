"""The mini-MIAS example: circles, unknown places, splits by patient, and the real tables where they are."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pandas as pd
import pytest

from mammoseg.data.manifest import load_manifest
from mammoseg.data.splits import check_leaks
from mammoseg.io.read import read_mask

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "mias_manifest.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mias_manifest", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three patients: a benign lesion, one malignant with and one without a place, one at the film's edge."""
    folder = tmp_path / "mias"
    (folder / "images").mkdir(parents=True)
    films, lesions = [], ["image_id,severity,lesion_type,x,y,radius"]
    labels = [(1, 0), (0, 0), (0, 1), (1, 0), (0, 1), (0, 0)]
    for n, (benign, malignant) in enumerate(labels, start=1):
        side = "R" if n % 2 else "L"
        films.append(f"m{n},p{(n + 1) // 2},{side},MLO,F,{benign},{malignant},CIRC,images/m{n}.png")
        pixels = np.full((40, 50), 9, np.uint8)
        (folder / "images" / f"m{n}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    lesions += ["m1,benign,CIRC,20,10,3", "m1,benign,CIRC,30,30,2", "m3,malignant,CALC,,,"]
    lesions += ["m4,benign,CIRC,49,0,4", "m5,malignant,CIRC,500,500,4"]
    header = "image_id,patient_id,laterality,view,density,benign,malignant,lesion_type,image_path"
    (folder / "manifest.csv").write_text("\n".join([header, *films]) + "\n")
    (folder / "lesions.csv").write_text("\n".join(lesions) + "\n")
    return folder


def test_a_small_copy(example: ModuleType, source: Path, tmp_path: Path) -> None:
    example.make_manifest(source, tmp_path / "out", (0.4, 0.3, 0.3), seed=1)
    manifest = load_manifest(tmp_path / "out" / "manifest.csv", check_files=True)
    rows = {row.image_id: row for row in manifest.rows()}
    assert len(rows) == 6
    mask_file = tmp_path / "out" / "masks" / "m1_benign.png"
    assert rows["m1"].benign_mask == mask_file
    mask = read_mask(mask_file)
    assert mask.shape == (40, 50)
    assert mask.sum() == 29 + 13  # lattice points in circles of radius 3 and 2
    assert mask[10, 20]
    assert mask[7, 20]
    assert not mask[6, 20]
    assert read_mask(mask_file.with_name("m4_benign.png")).sum() < 29
    assert [rows[n].malignant_mask for n in ("m3", "m5", "m1")] == [None, None, None]
    assert (rows["m3"].malignant, rows["m3"].benign, rows["m3"].pixel_mm) == (1, 0, 0.2)
    assert rows["m1"].breast_key == ("p1", "R")
    assert rows["m1"].path == source / "images" / "m1.png"
    assert rows["m1"].horizontal_flip is False
    assert set(manifest.table["split"]) == {"train", "val", "test"}
    assert manifest.table["density"].tolist() == ["F"] * 6
    check_leaks(manifest)


def test_as_a_command(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), str(source), str(tmp_path / "out"), "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "benign: 2 masks; without a place: none" in done.stdout
    assert "malignant: 0 masks; without a place: m3, m5" in done.stdout


def test_other_folders_are_refused(example: ModuleType, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"manifest\.csv is missing"):
        example.make_manifest(tmp_path, tmp_path / "out", (0.8, 0.1, 0.1), 0)
    (source / "lesions.csv").write_text("image_id,severity\n")
    with pytest.raises(ValueError, match=r"lesions\.csv: the columns \['lesion_type'"):
        example.make_manifest(source, tmp_path / "out", (0.8, 0.1, 0.1), 0)
    (source / "lesions.csv").write_text("image_id,severity,lesion_type,x,y,radius\nzz,benign,CIRC,1,1,1\n")
    with pytest.raises(ValueError, match="zz"):
        example.make_manifest(source, tmp_path / "out", (0.8, 0.1, 0.1), 0)


@pytest.mark.shared
def test_the_real_tables(example: ModuleType, shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "mias_dev"
    manifest = example.make_manifest(source, tmp_path, (0.6, 0.2, 0.2), 0)
    table = load_manifest(tmp_path / "manifest.csv", check_files=True).table
    assert (len(table), table["patient_id"].nunique()) == (200, 100)
    assert (table["malignant"].sum(), table["benign"].sum()) == (32, 37)
    without = {
        name: table.loc[(table[name] == 1) & table[f"{name}_mask"].isna(), "image_id"].tolist()
        for name in ("benign", "malignant")
    }
    assert without == {"benign": ["mdb059"], "malignant": ["mdb216", "mdb233", "mdb245"]}
    assert table.groupby("split")["patient_id"].nunique().to_dict() == {"train": 60, "val": 20, "test": 20}
    pd.testing.assert_frame_equal(table, manifest.table, check_dtype=False)
