"""`mammoseg adapt`: what is told about a data set, where manifest and masks go, and what is refused before any work."""

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from mammoseg.cli.adapt import adapt
from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.adapters.mini_mias import ABOUT
from mammoseg.ingest.data_set import Totals

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(adapt)


@pytest.fixture
def mias(tmp_path: Path) -> Path:
    """Ten patients with a benign lesion in the right breast, ten without."""
    root = tmp_path / "mias"
    root.mkdir()
    films = [f"mdb{n:03d} G " + ("CIRC B 100 900 5" if n % 2 and n < 20 else "NORM") for n in range(1, 41)]
    (root / "Info.txt").write_text("\n".join(films))
    image = cv2.imencode(".png", np.full((1024, 1024), 9, np.uint8))[1].tobytes()
    for film in films:
        (root / f"{film[:6]}.png").write_bytes(image)
    return root


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_manifest_and_masks(mias: Path, tmp_path: Path) -> None:
    out = tmp_path / "study" / "manifest.csv"
    result = invoke("mini_mias", mias, "--out", out)
    assert result.exit_code == 0, result.output
    for text in (ABOUT.title, ABOUT.label_source, ABOUT.licence, ABOUT.url, *ABOUT.defects):
        assert text in result.stdout
    counts = [line.split() for line in result.stdout.splitlines()]
    assert ["none", "20", "20", "40", "10", "0", "0", "0"] in counts
    assert f"40 images; masks: 10 benign, 0 malignant; written: {out}\n" in result.stdout
    assert result.stdout.endswith("Published (Suckling et al. 1994): 40 of 322 images, 20 of 161 patients\n")
    table = load_manifest(out, check_files=True).table
    assert table["split"].isna().all()
    assert {Path(p).parent for p in table["benign_mask"].dropna()} == {out.parent / "manifest_masks"}
    assert pd.read_csv(out)["benign_mask"].iloc[0] == "manifest_masks/mdb001_benign.png"
    assert not list(mias.glob("masks"))


def test_fewer_images_than_published_is_exit_3(mias: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    done = command("adapt", "mini_mias", mias, "--out", tmp_path / "m.csv")
    assert done.code == 3
    assert not (tmp_path / "m_left_out.csv").exists()
    (mias / "mdb002.png").unlink()
    done = command("adapt", "mini_mias", mias, "--out", tmp_path / "m.csv", "--overwrite")
    assert done.code == 3
    done.says(
        "39 of 322 images, 20 of 161 patients", f"1 rows, images or folders are left out: {tmp_path / 'm_left_out.csv'}"
    )
    why = "images of the tables have no file and are left out"
    assert pd.read_csv(tmp_path / "m_left_out.csv").to_numpy().tolist() == [[str(mias), "mdb002", why]]


def test_the_whole_data_set_is_exit_0(
    mias: Path, tmp_path: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dataclasses.replace(ABOUT, published=Totals(images=40, patients=20, source="here"))
    monkeypatch.setattr("mammoseg.ingest.adapters.mini_mias.ABOUT", whole)
    done = command("adapt", "mini_mias", mias, "--out", tmp_path / "m.csv")
    assert (done.code, done.out.splitlines()[-1]) == (0, "Published (here): 40 of 40 images, 20 of 20 patients")


def test_masks_belong_to_one_manifest(mias: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    before = tmp_path / "masks" / "mdb001_benign.png"  # of an earlier version, beside a manifest of another name
    before.parent.mkdir()
    before.write_bytes(b"of another manifest")
    assert command("adapt", "mini_mias", mias, "--out", tmp_path / "a.csv").code == 3
    mask = tmp_path / "a_masks" / "mdb001_benign.png"
    of_a = mask.read_bytes()
    (mias / "Info.txt").write_text((mias / "Info.txt").read_text().replace("100 900 5", "300 300 9"))
    assert command("adapt", "mini_mias", mias, "--out", tmp_path / "b.csv").code == 3
    assert (mask.read_bytes(), before.read_bytes()) == (of_a, b"of another manifest")
    assert (tmp_path / "b_masks" / "mdb001_benign.png").read_bytes() != of_a
    (tmp_path / "a.csv").unlink()
    done = command("adapt", "mini_mias", mias, "--out", tmp_path / "a.csv")
    assert done.code == 2
    done.says("a_masks is there already, perhaps of another manifest", "--overwrite")
    assert mask.read_bytes() == of_a
    assert command("adapt", "mini_mias", mias, "--out", tmp_path / "a.csv", "--overwrite").code == 3
    assert mask.read_bytes() != of_a


def test_a_list_of_another_manifest_is_kept(mias: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    (tmp_path / "m_left_out.csv").write_text("mine")
    assert command("adapt", "mini_mias", mias, "--out", tmp_path / "m.csv").code == 2
    assert (tmp_path / "m_left_out.csv").read_text() == "mine"
    assert not (tmp_path / "m_masks").exists()


def test_masks_of_a_manifest_that_fails_are_deleted(mias: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    done = command("adapt", "mini_mias", mias, "--out", tmp_path / "m.csv", "--split", 2, 1, 1)
    assert done.code in (1, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mias"]


def test_a_folder_that_is_not_there(tmp_path: Path, command: Callable[..., Any]) -> None:
    (tmp_path / "file").touch()
    for name in ("nowhere", "file"):
        done = command("adapt", "rsna_2022", tmp_path / name, "--out", tmp_path / "m.csv")
        assert done.code == 2
        done.says(f"{name} is no folder. Expected train.csv beside train_images/")


def test_a_split_can_be_drawn(mias: Path, tmp_path: Path) -> None:
    tables = []
    for name in ("a", "b"):
        out = tmp_path / name / "manifest.csv"
        assert invoke("mini_mias", mias, "--out", out, "--split", 0.5, 0.2, 0.3, "--seed", 3).exit_code == 0
        tables.append(load_manifest(out).table)
    assert tables[0].groupby("split")["patient_id"].nunique().to_dict() == {"train": 10, "val": 4, "test": 6}
    assert tables[0]["split"].tolist() == tables[1]["split"].tolist()


def test_an_unknown_name_lists_the_data_sets(tmp_path: Path) -> None:
    result = invoke("mini_mas", tmp_path, "--out", tmp_path / "m.csv")
    assert result.exit_code == 2
    assert "there is no data set 'mini_mas'" in result.output
    lines = [line.strip().split(maxsplit=1) for line in result.output.splitlines()]
    assert ["mini_mias", "mini-MIAS"] in lines
    assert ["cbis_ddsm", "CBIS-DDSM"] in lines
    named = {line[0] for line in lines if line}
    assert "exam_list" in named
    assert not named & {"about", "drawing", "tables", "synthetic"}


def test_no_module_that_is_no_data_set(tmp_path: Path) -> None:
    assert invoke("drawing", tmp_path, "--out", tmp_path / "m.csv").exit_code == 2


def test_options_of_another_data_set_are_refused(mias: Path, tmp_path: Path) -> None:
    result = invoke("mini_mias", mias, "--out", tmp_path / "m.csv", "--roi-flipped")
    assert result.exit_code == 2
    assert "Invalid value for --roi-flipped: it is not for mini_mias" in result.output


def test_an_existing_manifest_is_kept(mias: Path, tmp_path: Path) -> None:
    out = tmp_path / "manifest.csv"
    out.write_text("mine")
    result = invoke("mini_mias", mias, "--out", out)
    assert (result.exit_code, out.read_text()) == (2, "mine")
    assert "is there already" in result.output
    assert invoke("mini_mias", mias, "--out", out, "--overwrite").exit_code == 0
    assert len(load_manifest(out)) == 40


@pytest.mark.parametrize("name", ["study", "manifest.parquet", "folder.csv"])
def test_only_names_of_csv_files(mias: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    result = invoke("mini_mias", mias, "--out", tmp_path / name)
    assert result.exit_code == 2
    assert "no name of a CSV file" in result.output


@pytest.fixture
def nyu(tmp_path: Path) -> Path:
    root = tmp_path / "nyu"
    (root / "images").mkdir(parents=True)
    (root / "images" / "0_L_CC.png").touch()
    exam = {"horizontal_flip": "NO", "L-CC": ["0_L_CC"], "cancer_label": {"left_benign": 1, "left_malignant": 0}}
    (root / "exam_list_before_cropping.pkl").write_bytes(pickle.dumps([exam]))
    return root


def test_an_exam_list_in_its_folder(nyu: Path, tmp_path: Path) -> None:
    (nyu / "exam_list_after_cropping.pkl").write_bytes(b"of a later step")
    (nyu / "segmentation").mkdir()
    (nyu / "segmentation" / "0_L_CC_benign.png").touch()
    result = invoke("exam_list", nyu, "--out", tmp_path / "m.csv")
    assert result.exit_code == 0, result.output
    assert "cancer_label of the list" in result.stdout
    [row] = load_manifest(tmp_path / "m.csv").rows()
    assert (row.path, row.labels.get("benign"), row.mask_frame) == (nyu / "images" / "0_L_CC.png", 1, "window")
    assert row.masks.get("benign") == nyu / "segmentation" / "0_L_CC_benign.png"


def test_an_exam_list_whose_images_are_missing(nyu: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    assert command("adapt", "exam_list", nyu, "--out", tmp_path / "m.csv").code == 0
    (nyu / "images" / "0_L_CC.png").unlink()
    done = command("adapt", "exam_list", nyu, "--out", tmp_path / "n.csv")
    assert done.code == 3
    done.says("1 images have no file; their rows are kept: 0_L_CC")
    assert len(load_manifest(tmp_path / "n.csv")) == 1


def test_an_exam_list_of_another_name_without_masks(nyu: Path, tmp_path: Path) -> None:
    (nyu / "exam_list_before_cropping.pkl").rename(nyu / "mine.pkl")
    assert invoke("exam_list", nyu, "--out", tmp_path / "m.csv").exit_code == 0
    [row] = load_manifest(tmp_path / "m.csv").rows()
    assert (row.masks.get("benign"), row.mask_frame) == (None, None)


@pytest.mark.parametrize("names", [[], ["a.pkl", "b.pkl"]])
def test_no_exam_list_or_several(nyu: Path, tmp_path: Path, names: list[str]) -> None:
    (nyu / "exam_list_before_cropping.pkl").unlink()
    for name in names:
        (nyu / name).touch()
    result = invoke("exam_list", nyu, "--out", tmp_path / "m.csv")
    assert isinstance(result.exception, ValueError)
    assert f"{len(names)} files end in .pkl" in str(result.exception)
    assert not (tmp_path / "m.csv").exists()
