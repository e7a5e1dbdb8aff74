"""The published table: its rows, their order, its numbers, and what is left out of it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.export.published import write_published_csv
from mammoseg.ingest.exam_list import make_manifest
from mammoseg.io.errors import RunFileError

Score = tuple[float, float]
VIEWS = ("R-MLO", "L-MLO", "R-CC", "L-CC")


def manifest_of(exams: list[str], folder: Path, **columns: object) -> Manifest:
    rows = [(exam, exam, f"{exam}_{view}", *view.split("-"), f"{exam}_{view}.png") for exam in exams for view in VIEWS]
    table = pd.DataFrame(rows, columns=["patient_id", "exam_id", "image_id", "laterality", "view", "path"])
    return Manifest.from_table(table.assign(**columns), folder / "manifest.csv")


def run_of(folder: Path, scores: Mapping[str, Score]) -> Path:
    """A predictions folder with nothing but the table; breasts and exams must not get into the published one."""
    rows = [("image", "p", "e", name, "L", "CC", *score) for name, score in scores.items()]
    rows += [("breast", "p", "e", "", "L", "", 0.9, 0.9), ("exam", "p", "e", "", "", "", 0.9, 0.9)]
    columns = ["level", "patient_id", "exam_id", "image_id", "laterality", "view", "benign", "malignant"]
    folder.mkdir(exist_ok=True)
    pd.DataFrame(rows, columns=columns).to_csv(folder / "predictions.csv", index=False)
    return folder


def test_the_file_to_the_letter(tmp_path: Path) -> None:
    manifest = manifest_of(["0"], tmp_path, benign=[0, 1, 0, np.nan], malignant=[1, np.nan, 1, 0])
    run = run_of(
        tmp_path / "run",
        {"0_L-CC": (0.13564, 0.00814), "0_R-CC": (1, 0), "0_L-MLO": (0.5, 1e-9), "0_R-MLO": (0.99996, 0.32586)},
    )
    path = write_published_csv(run, manifest)
    assert path == run / "predictions_published.csv"
    assert path.read_bytes().decode() == (
        "image_index,benign_pred,malignant_pred,benign_label,malignant_label\n"
        "0_L-CC,0.1356,0.0081,,0\n"
        "0_R-CC,1.0000,0.0000,0,1\n"
        "0_L-MLO,0.5000,0.0000,1,\n"
        "0_R-MLO,1.0000,0.3259,0,1\n"
    )
    assert sorted(p.name for p in run.iterdir()) == ["predictions.csv", "predictions_published.csv"]


def ids(path: Path) -> list[str]:
    return pd.read_csv(path)["image_index"].tolist()


def test_exams_then_views_or_sorted(tmp_path: Path) -> None:
    manifest = manifest_of(["10", "9"], tmp_path, benign=0, malignant=[1, 0] * 4)
    run = run_of(tmp_path / "run", dict.fromkeys(manifest.table["image_id"], (0.25, 0.5)))
    order = ["L-CC", "R-CC", "L-MLO", "R-MLO"]
    assert ids(write_published_csv(run, manifest)) == [f"{exam}_{view}" for exam in ("10", "9") for view in order]
    path = write_published_csv(run, manifest, sorted_ids=True)
    assert ids(path) == [f"{exam}_{view}" for exam in ("10", "9") for view in sorted(order)]
    assert path.read_text().splitlines()[1:4] == [
        "10_L-CC,0.2500,0.5000,0.0000,0.0000",
        "10_L-MLO,0.2500,0.5000,0.0000,0.0000",
        "10_R-CC,0.2500,0.5000,0.0000,1.0000",
    ]


@pytest.mark.parametrize("marked", [True, False])
def test_only_the_first_image_of_a_view(tmp_path: Path, marked: bool) -> None:
    names = ["a", "b", "c", "d"]
    table = pd.DataFrame(
        {
            "patient_id": "p",
            "exam_id": ["1", "1", "1", "2"],
            "image_id": names,
            "laterality": "L",
            "view": ["CC", "CC", "ML", "CC"],
            "path": names,
        }
    )
    if marked:
        table["first_of_view"] = [0, 1, 1, 1]
    manifest = Manifest.from_table(table, tmp_path / "manifest.csv")
    run = run_of(tmp_path / "run", dict.fromkeys(names, (0.1, 0.2)))
    expected = ["b", "c", "d"] if marked else ["a", "c", "d"]
    assert ids(write_published_csv(run, manifest)) == expected
    manifest.to_csv(tmp_path / "manifest.csv")
    assert ids(write_published_csv(run, load_manifest(tmp_path / "manifest.csv"))) == expected


def test_images_without_prediction_are_left_out(tmp_path: Path) -> None:
    manifest = manifest_of(["0"], tmp_path)
    run = run_of(tmp_path / "run", {"0_R-CC": (0.1, 0.2), "stranger": (0.3, 0.4)})
    assert ids(write_published_csv(run, manifest)) == ["0_R-CC"]
    assert write_published_csv(run_of(tmp_path / "failed", {}), manifest).read_text().count("\n") == 1


def test_a_class_that_is_not_predicted_is_empty(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"0_L-CC": (np.nan, 0.2)})
    path = write_published_csv(run, manifest_of(["0"], tmp_path, malignant=[1, 0, 1, 0]))
    assert path.read_text().splitlines()[1:] == ["0_L-CC,,0.2000,,0"]


def test_the_wrong_manifest_or_folder_is_told(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"other": (0.1, 0.2)})
    with pytest.raises(RunFileError, match=r"run: none of its 1 images is in .*manifest\.csv"):
        write_published_csv(run, manifest_of(["0"], tmp_path))
    assert not (run / "predictions_published.csv").exists()
    with pytest.raises(RunFileError, match=r"predictions\.csv is missing"):
        write_published_csv(tmp_path, manifest_of(["0"], tmp_path))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["gmic", "glam_model_sep"])
def test_the_published_files_are_written_again(shared: Path, tmp_path: Path, name: str) -> None:
    """With the published scores and the published exam list, the published file comes out, byte for byte."""
    sample = shared / "data" / "nyu_sample"
    manifest = make_manifest(sample / "exam_list_before_cropping.pkl", sample / "images")
    expected = shared / "spec" / "tables" / f"expected_predictions_{name}.csv"
    table = pd.read_csv(expected)
    scores = zip(table["benign_pred"], table["malignant_pred"], strict=True)
    run = run_of(tmp_path / "run", dict(sorted(zip(table["image_index"], scores, strict=True))))
    assert write_published_csv(run, manifest).read_text() == expected.read_text().replace("\r\n", "\n")


def test_scores_of_other_classes_have_no_place_in_the_table(tmp_path: Path) -> None:
    table = "level,image_id,patient_id,exam_id,laterality,view,mass\nimage,a,p,e,L,CC,0.5\n"
    (tmp_path / "predictions.csv").write_text(table)
    with pytest.raises(RunFileError, match="its scores are of other classes than benign and malignant"):
        write_published_csv(tmp_path, None)


def test_a_row_for_each_exam(tmp_path: Path) -> None:
    manifest = manifest_of(["a", "b"], tmp_path)
    scores: dict[str, Score] = {
        "a_L-CC": (0.1, 0.2),
        "a_L-MLO": (0.3, 0.4),
        "a_R-CC": (0.5, 0.6),
        "b_R-MLO": (0.7, 0.8),
    }
    path = write_published_csv(run_of(tmp_path / "run", scores), manifest, exams=True)
    assert path.read_text() == (
        "index,left_benign,right_benign,left_malignant,right_malignant\n"
        "0,0.2000,0.5000,0.3000,0.6000\n"
        "1,,0.7000,,0.8000\n"
    )


@pytest.mark.shared
@pytest.mark.parametrize("name", ["image_only", "image_and_heatmaps"])
def test_the_published_table_of_exams_is_written_again(shared: Path, tmp_path: Path, name: str) -> None:
    expected = shared / "spec" / "tables" / f"expected_predictions_dmvcnn_{name}.csv"
    table = pd.read_csv(expected, dtype={"index": str})
    manifest = manifest_of(table["index"].tolist(), tmp_path)
    scores = {
        f"{row['index']}_{side}-{view}": (row[f"{word}_benign"], row[f"{word}_malignant"])
        for _, row in table.iterrows()
        for side, word in (("L", "left"), ("R", "right"))
        for view in ("CC", "MLO")
    }
    path = write_published_csv(run_of(tmp_path / "run", scores), manifest, exams=True)
    assert path.read_text() == expected.read_text().replace("\r\n", "\n")
