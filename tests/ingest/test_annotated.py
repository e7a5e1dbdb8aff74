"""What becomes of annotations, whatever format they have: images, classes, masks, labels, and what cannot be used."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.ingest.annotated import CONTRADICTION, LEFT_OUT, Imported, import_annotations, masks_of, remove_stale
from mammoseg.ingest.annotation_classes import read_rules
from mammoseg.ingest.annotations import labelme, yolo

SIDES = (("e1", "L"), ("e1", "R"), ("e2", "L"))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """CC and MLO of three breasts, 40 x 30 pixels."""
    rows = []
    for exam, side in SIDES:
        for view in ("CC", "MLO"):
            path = tmp_path / "images" / exam / f"{side}_{view}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.full((40, 30), 1000, np.uint16))
            rows.append(("p" + exam, exam, f"{exam}_{side}_{view}", side, view, str(path)))
    columns = ["patient_id", "exam_id", "image_id", "laterality", "view", "path"]
    return Manifest.from_table(pd.DataFrame(rows, columns=columns), tmp_path / "images.csv")


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """`draw("e1_L_CC", "malignant", (top, left, bottom, right))`: a file of LabelMe with a rectangle."""

    def to_file(image: str, label: str, *boxes: tuple[int, int, int, int], folder: str = "drawn") -> Path:
        path = tmp_path / folder / f"{image}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        shapes = [
            {"label": label, "shape_type": "rectangle", "points": [[left, top], [right, bottom]]}
            for top, left, bottom, right in boxes
        ]
        path.write_text(json.dumps({"shapes": shapes}))
        return path

    return to_file


@pytest.fixture
def bring(tmp_path: Path, manifest: Manifest) -> Callable[..., Imported]:
    def run(*sources: Path, rules: tuple[str, ...] = (), into: Manifest = manifest, **more: Any) -> Imported:
        masks = tmp_path / more.pop("masks", "masks")
        return import_annotations(into, labelme, labelme.Options(), sources, read_rules(rules), masks, **more)  # type: ignore[arg-type]

    return run


def column(done: Imported, name: str) -> dict[str, Any]:
    """Image -> cell, of the cells that hold something."""
    table = done.manifest.table.set_index("image_id")
    return {str(image): cell for image, cell in table[name].items() if pd.notna(cell)}


def pixels(done: Imported, image: str, name: str = "malignant") -> int:
    return int(np.count_nonzero(cv2.imread(column(done, f"{name}_mask")[image], cv2.IMREAD_UNCHANGED)))


def test_the_written_manifest_can_be_read(draw: Any, bring: Any, tmp_path: Path) -> None:
    done = bring(draw("e1_L_CC", "malignant", (1, 2, 11, 22)))
    done.manifest.to_csv(tmp_path / "annotated.csv")
    rows = {row.image_id: row for row in load_manifest(tmp_path / "annotated.csv").rows()}
    assert rows["e1_L_CC"].masks["malignant"] == tmp_path / "masks" / "malignant" / "e1_L_CC.png"
    assert rows["e1_L_CC"].boxes["malignant"] == ((1, 2, 11, 22),)
    assert rows["e1_L_CC"].labels == {}
    assert all(not row.masks for name, row in rows.items() if name != "e1_L_CC")


def test_a_class_of_any_name(draw: Any, bring: Any, tmp_path: Path) -> None:
    done = bring(draw("e1_L_CC", "Mikrokalk", (1, 2, 11, 22)), rules=("mikrokalk=calcification",), labels=True)
    done.manifest.to_csv(tmp_path / "annotated.csv")
    [row, *_] = load_manifest(tmp_path / "annotated.csv").rows(("calcification",))
    assert (row.labels, list(row.masks)) == ({"calcification": 1}, ["calcification"])


def test_labels_only_if_asked_and_of_the_whole_breast(draw: Any, bring: Any) -> None:
    path = draw("e1_L_CC", "malignant", (1, 2, 11, 22))
    assert column(bring(path), "malignant") == {}
    assert column(bring(path, labels=True), "malignant") == {"e1_L_CC": 1.0, "e1_L_MLO": 1.0}


@pytest.mark.parametrize("labels", [False, True])
def test_a_label_that_contradicts_stays_and_is_told(labels: bool, draw: Any, bring: Any, manifest: Manifest) -> None:
    table = manifest.table.assign(malignant=[0.0, 0.0, 1.0, 1.0, np.nan, np.nan])
    draw("e1_L_CC", "malignant", (1, 2, 11, 22))
    path = draw("e1_R_CC", "malignant", (1, 2, 11, 22)).parent
    done = bring(path, into=replace(manifest, table=table), labels=labels)
    assert [(problem.kind, problem.image_id) for problem in done.problems] == [(CONTRADICTION, "e1_L_CC")]
    assert column(done, "malignant") == {"e1_L_CC": 0, "e1_L_MLO": 0, "e1_R_CC": 1, "e1_R_MLO": 1}
    assert set(column(done, "malignant_mask")) == {"e1_L_CC", "e1_R_CC"}


def test_a_label_of_the_other_view_is_that_of_the_breast(
    draw: Any, bring: Any, manifest: Manifest, tmp_path: Path
) -> None:
    table = manifest.table.assign(malignant=[np.nan, 0.0, *[np.nan] * 4])
    done = bring(draw("e1_L_CC", "malignant", (1, 2, 11, 22)), into=replace(manifest, table=table), labels=True)
    assert [(problem.kind, problem.image_id) for problem in done.problems] == [(CONTRADICTION, "e1_L_CC")]
    assert column(done, "malignant") == {"e1_L_MLO": 0}
    done.manifest.to_csv(tmp_path / "annotated.csv")
    assert len(load_manifest(tmp_path / "annotated.csv")) == 6


def test_masks_that_were_there_are_united_and_the_same_import_changes_nothing(draw: Any, bring: Any) -> None:
    first = bring(draw("e1_L_CC", "malignant", (0, 0, 10, 10)))
    second = draw("e1_L_CC", "malignant", (5, 0, 20, 10), folder="later")
    both = bring(second, into=first.manifest, masks="both")
    assert (pixels(first, "e1_L_CC"), pixels(both, "e1_L_CC")) == (100, 200)
    assert column(both, "malignant_boxes") == {"e1_L_CC": "0 0 10 10; 5 0 20 10"}
    again = bring(second, into=both.manifest, masks="again")
    assert pixels(again, "e1_L_CC") == 200
    assert column(again, "malignant_boxes") == column(both, "malignant_boxes")


def test_an_earlier_mask_of_another_size(draw: Any, bring: Any, manifest: Manifest, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.ones((4, 3), np.uint8))
    table = manifest.table.assign(malignant_mask=[str(tmp_path / "small.png"), *[None] * 5])
    done = bring(draw("e1_L_CC", "malignant", (0, 0, 10, 10)), into=replace(manifest, table=table))
    assert [(problem.kind, problem.item) for problem in done.problems] == [(LEFT_OUT, "an earlier mask of the image")]
    assert column(done, "malignant_mask") == {"e1_L_CC": str(tmp_path / "small.png")}


def test_masks_of_the_window_are_not_mixed_with_those_of_the_image(
    draw: Any, bring: Any, manifest: Manifest, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "window.png"), np.ones((4, 3), np.uint8))
    frames = manifest.table.assign(mask_frame="window", benign_mask=[str(tmp_path / "window.png"), *[None] * 5])
    draw("e1_L_CC", "malignant", (0, 0, 10, 10))
    done = bring(draw("e1_R_CC", "malignant", (0, 0, 10, 10)).parent, into=replace(manifest, table=frames))
    assert ["mask_frame" in problem.message for problem in done.problems] == [True]
    assert column(done, "malignant_mask").keys() == {"e1_R_CC"}
    assert "e1_R_CC" not in column(done, "mask_frame")


def test_files_of_the_same_name_are_told_apart_by_their_folders(draw: Any, bring: Any, tmp_path: Path) -> None:
    draw("L_CC", "malignant", (0, 0, 10, 10), folder="drawn/e1")
    draw("L_CC", "malignant", (0, 0, 5, 5), folder="drawn/e2")
    done = bring(tmp_path / "drawn")
    assert not done.problems
    assert (pixels(done, "e1_L_CC"), pixels(done, "e2_L_CC")) == (100, 25)


def test_files_of_the_same_name_that_nothing_tells_apart(draw: Any, bring: Any, tmp_path: Path) -> None:
    draw("L_CC", "malignant", (0, 0, 10, 10), folder="drawn/one")
    draw("R_CC", "malignant", (0, 0, 10, 10), folder="drawn/one")
    draw("R_CC", "malignant", (0, 0, 10, 10), folder="drawn/two")
    draw("e2_L_CC", "malignant", (0, 0, 10, 10), folder="drawn")
    done = bring(tmp_path / "drawn")
    assert ["different folders" in problem.message for problem in done.problems] == [True] * 3
    assert set(column(done, "malignant_mask")) == {"e2_L_CC"}


def test_what_is_about_no_image_and_an_image_that_is_gone(draw: Any, bring: Any, tmp_path: Path) -> None:
    draw("stranger", "malignant", (0, 0, 10, 10))
    draw("e1_R_CC", "malignant", (0, 0, 10, 10))
    (tmp_path / "images" / "e1" / "L_CC.png").unlink()
    done = bring(draw("e1_L_CC", "malignant", (0, 0, 10, 10)).parent)
    assert {problem.source.stem for problem in done.problems} == {"stranger", "e1_L_CC"}
    assert set(column(done, "malignant_mask")) == {"e1_R_CC"}
    problems, findings = done.tables()
    assert (len(problems), len(findings)) == (2, 1)


def test_labels_that_nobody_told_of_write_nothing(draw: Any, bring: Any, tmp_path: Path) -> None:
    draw("e1_L_CC", "=cmd|' /C calc'!A0", (0, 0, 10, 10))
    draw("e1_R_CC", "x" * 5000, (0, 0, 10, 10))
    draw("e2_L_CC", "\x1b[31m" + "malignant", (0, 0, 10, 10))
    with pytest.raises(ValueError, match="--class") as error:
        bring(tmp_path / "drawn")
    assert "\x1b" not in str(error.value)
    assert len(str(error.value)) < 1000
    assert not (tmp_path / "masks").exists()


@pytest.mark.parametrize("rule", ["malignant", "=malignant", "a=b/c", "a=..", "a=" + "x" * 500, "a=b\0"])
def test_a_rule_that_is_none(rule: str) -> None:
    with pytest.raises(ValueError, match="--class"):
        read_rules([rule])


def test_rules_that_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="two classes"):
        read_rules(["Mass=benign", "mass=malignant"])


@pytest.mark.parametrize("column", ["path", "image_id"])
def test_a_class_that_is_a_column_of_something_else(draw: Any, bring: Any, column: str) -> None:
    with pytest.raises(ValueError, match="expected LABEL=CLASS"):
        bring(draw("e1_L_CC", "a", (0, 0, 10, 10)), rules=(f"a={column}",))


def test_masks_of_an_earlier_import_are_deleted_and_others_stay(draw: Any, bring: Any, tmp_path: Path) -> None:
    _, findings = bring(draw("e1_L_CC", "malignant", (0, 0, 10, 10))).tables()
    findings.loc[len(findings)] = findings.loc[0].to_dict() | {"image_id": "../../outside"}
    findings.to_csv(tmp_path / "findings.csv")
    for own in (tmp_path / "masks" / "malignant" / "mine.png", tmp_path / "outside.png"):
        own.write_bytes(b"drawn by hand")
    before = masks_of(tmp_path / "findings.csv", tmp_path / "masks")
    assert [path.name for path in before] == ["e1_L_CC.png"]
    done = bring(draw("e1_R_CC", "malignant", (0, 0, 10, 10)))
    remove_stale(before, done.manifest)
    assert sorted(path.name for path in tmp_path.glob("masks/*/*")) == ["e1_R_CC.png", "mine.png"]
    assert (tmp_path / "outside.png").is_file()
    (tmp_path / "findings.csv").write_bytes(b"\xff\0")
    assert masks_of(tmp_path / "findings.csv", tmp_path / "masks") == set()


def test_names_that_are_no_text(draw: Any, bring: Any, tmp_path: Path) -> None:
    draw("e1_L_CC", "malignant", (0, 0, 10, 10))
    (tmp_path / "drawn" / "b\udcff.json").write_text("{}")
    problems, _ = bring(tmp_path / "drawn").tables()
    assert [Path(source).name for source in problems["source"]] == ["b\\xff.json"]
    problems.to_csv(tmp_path / "errors.csv")
    with pytest.raises(ValueError, match="--class"):
        bring(draw("e1_R_CC", "x\n\0\u202e", (0, 0, 10, 10)))


def test_no_file_of_the_format(bring: Any, tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(ValueError, match="no file of this format"):
        bring(tmp_path / "images")
    with pytest.raises(ValueError, match="YOLO"):
        import_annotations(manifest, yolo, yolo.Options(), [tmp_path / "images"], {}, tmp_path / "masks")  # type: ignore[arg-type]
