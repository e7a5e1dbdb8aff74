"""Exam lists of the published software: what becomes of each key, and what is refused or told."""

import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.ingest.exam_list import ExamListError, make_manifest
from mammoseg.io.pickles import PickleReadError

VIEWS = ("L-CC", "R-CC", "L-MLO", "R-MLO")
LABELS = {"benign": 1, "malignant": 1, "unknown": 0}
SIDES = {"left_benign": 0, "left_malignant": 1, "right_benign": 1, "right_malignant": 0}


def exam(number: int | str = 0, **changes: Any) -> dict[str, Any]:
    """An exam of four images, its keys in another order than the views."""
    views = {view: [f"{number}_{view}"] for view in reversed(VIEWS)}
    content = {**views, "horizontal_flip": "NO", "cancer_label": LABELS | SIDES}
    return content | {name.replace("_", "-") if name[1:2] == "_" else name: v for name, v in changes.items()}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Manifest]:
    """`made(exams, image file names, mask file names)` writes them and makes the manifest; no names: no masks folder."""

    def make(content: object, images: list[str] | None = None, masks: list[str] | None = None) -> Manifest:
        (tmp_path / "list.pkl").write_bytes(pickle.dumps(content))
        for folder, names in (("images", images or []), ("masks", masks or [])):
            (tmp_path / folder).mkdir(exist_ok=True)
            for name in names:
                (tmp_path / folder / name).touch()
        return make_manifest(tmp_path / "list.pkl", tmp_path / "images", None if masks is None else tmp_path / "masks")

    return make


def test_rows_are_in_the_order_of_exams_views_and_lists(made: Callable[..., Manifest]) -> None:
    two = exam("b", L_CC=["b_L-CC", "b_L-CC_2"])
    table = made([exam("z"), two]).table
    assert table["image_id"].tolist() == [
        *("z_L-CC", "z_R-CC", "z_L-MLO", "z_R-MLO"),
        *("b_L-CC", "b_L-CC_2", "b_R-CC", "b_L-MLO", "b_R-MLO"),
    ]
    assert table["laterality"].tolist() == [*"LRLR", *"LLRLR"]
    assert table["view"].tolist() == ["CC", "CC", "MLO", "MLO", "CC", "CC", "CC", "MLO", "MLO"]
    assert table["first_of_view"].tolist() == [1, 1, 1, 1, 1, 0, 1, 1, 1]
    assert table["exam_id"].tolist() == table["patient_id"].tolist() == ["z"] * 4 + ["b"] * 5


def test_labels_go_to_their_side(made: Callable[..., Manifest]) -> None:
    table = made([exam()]).table
    left, right = table[table["laterality"] == "L"], table[table["laterality"] == "R"]
    assert left[["benign", "malignant"]].to_numpy().tolist() == [[0, 1], [0, 1]]
    assert right[["benign", "malignant"]].to_numpy().tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("labels", "left"),
    [
        (None, [np.nan, np.nan]),
        ({}, [np.nan, np.nan]),
        ({"benign": 1, "malignant": 0}, [np.nan, np.nan]),
        ({"left_malignant": 1}, [np.nan, 1]),
        ({"left_benign": None, "left_malignant": float("nan")}, [np.nan, np.nan]),
        ({"left_benign": np.int64(1), "left_malignant": False}, [1, 0]),
    ],
)
def test_a_missing_label_is_unknown(made: Callable[..., Manifest], labels: Any, left: list[float]) -> None:
    table = made([exam(cancer_label=labels)]).table
    np.testing.assert_array_equal(table.loc[2, ["benign", "malignant"]].to_numpy(dtype=float), left)


def test_an_exam_without_labels_or_of_one_view(made: Callable[..., Manifest]) -> None:
    table = made([{"horizontal_flip": "YES", "R-CC": ["0_R_CC"], "L-CC": [], "L-MLO": None}]).table
    assert table["image_id"].tolist() == ["0_R_CC"]
    assert table["exam_id"].tolist() == ["0"]
    assert table["horizontal_flip"].tolist() == ["YES"]
    assert table[["benign", "malignant"]].isna().all(axis=None)


def test_a_list_from_after_cropping_gives_the_same_manifest(made: Callable[..., Manifest]) -> None:
    before = made([exam()]).table
    numbers = {view: [(np.int64(0), np.int64(4), 0, 3)] for view in VIEWS}
    added = {
        "window_location": numbers,
        "rightmost_points": {view: [((np.int64(1), np.int64(2)), np.int64(3))] for view in VIEWS},
        "bottommost_points": numbers,
        "distance_from_starting_side": {view: [np.int64(0)] for view in VIEWS},
        "best_center": {view: [(np.int64(1011), np.int64(-211))] for view in VIEWS},
        "L-CC_benign_seg": ["0_L-CC_benign"],
    }
    pd.testing.assert_frame_equal(made([exam() | added]).table, before)


@pytest.mark.parametrize(
    ("exams", "expected"),
    [
        ([["7_L-CC", "7_R-MLO"], ["8_L_CC", "8_R_MLO"]], ["7", "8"]),
        ([["a-1_L-CC", "a-1_L-CC_2"], ["b_L-CC.left"]], ["a-1", "b"]),
        ([["7_L-CC", "8_R-CC"], ["9_L-CC"]], ["exam_0", "9"]),
        ([["7_L-CC_2010"], ["7_L-CC_2012"]], ["exam_0", "exam_1"]),  # the same prefix twice
        ([["scan1"], ["x_L-CC", "scan2"], ["R-CC"]], ["exam_0", "exam_1", "exam_2"]),
        ([["scan1"], ["exam_0_L-CC"]], ["exam_0", "exam_1"]),  # its prefix is the name of another exam
        ([["exam_0_L-CC"], ["scan1"]], ["exam_0", "exam_1"]),
    ],
)
def test_exam_ids(made: Callable[..., Manifest], exams: list[list[str]], expected: list[str]) -> None:
    table = made([{"horizontal_flip": "NO", "L-CC": ids} for ids in exams]).table
    assert list(dict.fromkeys(table["exam_id"])) == expected
    assert table["patient_id"].tolist() == table["exam_id"].tolist()


def test_image_files(
    made: Callable[..., Manifest], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ["a", "b", "c", "d", "e.png", "f.PNG", "g.png", "h", "i"]
    files = ["a.png", "a.tif", "b.pgm", "c.tif", "d.tiff", "e.png", "f.PNG", "g.pgm", "i.jpg"]
    table = made([{"horizontal_flip": "NO", "L-CC": ids}], files).table
    names = ["a.png", "b.pgm", "c.tif", "d.tiff", "e.png", "f.PNG", "g.pgm", "h.png", "i.png"]
    assert table["path"].tolist() == [str(tmp_path / "images" / name) for name in names]
    assert table["image_id"].tolist() == list("abcdefghi")
    assert "2 of 9 images have no file; first h" in caplog.text
    monkeypatch.chdir(tmp_path)
    assert make_manifest(Path("list.pkl"), Path("images")).table["path"].tolist() == table["path"].tolist()


def test_masks_are_in_the_frame_of_the_window(made: Callable[..., Manifest], tmp_path: Path) -> None:
    names = ["0_L-CC_benign.png", "0_L-CC_malignant.png", "0_R-MLO_malignant.png", "1_L-CC_benign.png"]
    manifest = made([exam()], masks=names)
    table = manifest.table.set_index("image_id")
    masks = tmp_path / "masks"
    assert table.loc["0_L-CC", ["benign_mask", "malignant_mask"]].tolist() == [
        str(masks / "0_L-CC_benign.png"),
        str(masks / "0_L-CC_malignant.png"),
    ]
    assert table["benign_mask"].notna().sum() == 1
    assert table["malignant_mask"].notna().sum() == 2
    assert table["mask_frame"].tolist() == ["window", None, None, "window"]
    assert [row.mask_frame for row in manifest.rows()] == ["window", None, None, "window"]


def test_folders_of_masks_and_images(
    made: Callable[..., Manifest], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made([exam()], [f"0_{view}.png" for view in VIEWS])
    assert not caplog.text
    table = made([exam()], masks=["other.png"]).table
    assert table[["benign_mask", "malignant_mask", "mask_frame"]].isna().all(axis=None)
    assert "masks: no mask of this exam list; expected names such as 0_L-CC_benign.png" in caplog.text
    with pytest.raises(ExamListError, match=r"absent: the folder of the masks cannot be read \(No such file"):
        make_manifest(tmp_path / "list.pkl", tmp_path / "images", tmp_path / "absent")
    with pytest.raises(ExamListError, match=r"absent: the folder of the images cannot be read"):
        make_manifest(tmp_path / "list.pkl", tmp_path / "absent")
    with pytest.raises(ExamListError, match="Not a directory"):
        make_manifest(tmp_path / "list.pkl", tmp_path / "list.pkl")


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the list is empty"),
        ({"0": exam()}, "it holds a dict; expected a list"),
        (None, "it holds a NoneType"),
        ([exam(), ["1_L-CC"]], "exam 1: it is a list; expected a dict"),
        ([exam(), exam(1, horizontal_flip=True)], "exam 1: horizontal_flip is True; expected the text 'YES' or 'NO'"),
        ([exam(horizontal_flip="no")], "exam 0: horizontal_flip is 'no'"),
        ([exam(horizontal_flip=None)], "exam 0: horizontal_flip is None"),
        ([exam(horizontal_flip="Y" * 9999)], r"horizontal_flip is 'Y{5,20}\.\.\.Y{5,20}'"),
        ([exam(horizontal_flip=LOOP)], r"horizontal_flip is \[\[\["),
        ([{"L-CC": ["0_L-CC"]}], "exam 0: horizontal_flip is missing"),
        ([exam(cancer_label=[1])], r"exam 0: cancer_label is \[1\]; expected a dict"),
        ([exam(cancer_label={"left_benign": 2})], "exam 0: left_benign is 2; expected 0 or 1"),
        ([exam(cancer_label={"right_malignant": "1"})], "exam 0: right_malignant is '1'"),
        ([exam(L_CC="0_L-CC")], "exam 0: L-CC is '0_L-CC'; expected a list of image ids"),
        ([exam(L_CC=[5])], "exam 0: L-CC holds 5; expected an id such as '0_L-CC'"),
        ([{"horizontal_flip": "NO"}, exam(L_CC=[], R_CC=[], L_MLO=[], R_MLO=[])], "no image in any of 2 exams"),
        ([exam(L_CC=["a", "a"])], r"the image id 'a' stands there 2 times \(exam 0, 0\)"),
        ([exam(), exam(1, L_CC=["0_l-cc.png"])], r"the image id '0_L-CC' stands there 2 times \(exam 0, 1\)"),
    ],
)
def test_lists_that_cannot_be_used(made: Callable[..., Manifest], content: object, message: str) -> None:
    with pytest.raises(ExamListError, match=message) as caught:
        made(content)
    assert "list.pkl: this exam list cannot be used as it is" in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    "image_id",
    [
        *("../0_L-CC", "/etc/passwd", "a/b", "a\\b", "..", ".png", "", "-rf", ".hidden", "a\n", "a\x00", "C:x", "ä"),
        *("../../secret.png", "a" * 129, "\udc80"),
    ],
)
def test_ids_cannot_leave_the_folder(made: Callable[..., Manifest], tmp_path: Path, image_id: str) -> None:
    (tmp_path / "secret.png").touch()
    with pytest.raises(ExamListError, match=r"exam 0: R-CC holds .*expected an id such as"):
        made([exam(R_CC=[image_id])])


def test_all_problems_are_told_at_once_but_not_without_end(made: Callable[..., Manifest]) -> None:
    bad = [exam(number, horizontal_flip=False) for number in range(30)]
    with pytest.raises(ExamListError, match=r"(?s)exam 0: .*exam 9: .*\.\.\. and 20 more") as caught:
        made(bad)
    assert "exam 10" not in str(caught.value)


def test_a_megabyte_of_empty_exams_is_not_a_gigabyte_of_problems(made: Callable[..., Manifest]) -> None:
    with pytest.raises(ExamListError, match=r"\.\.\. and 991 more; exams after these were not looked at"):
        made([{} for _ in range(20_000)])


def test_an_exam_that_stands_there_many_times_is_read_once(made: Callable[..., Manifest]) -> None:
    same = exam(0)
    with pytest.raises(ExamListError, match=r"exam 1: it is exam 0 once more; expected every exam once") as caught:
        made([same] * 20_000)
    assert "stands there 20000 times" not in str(caught.value)


def test_what_is_odd_is_told(made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture) -> None:
    empty = {"horizontal_flip": "NO"}
    unknown = exam(2, cancer_label={"unknown": 1, "left_benign": 0})
    with caplog.at_level(logging.WARNING):
        table = made([empty, exam(1, L_CC=["1_R-CC"], R_CC=["1_L-CC"]), unknown]).table
    assert "1 exams have no image; first exam 0" in caplog.text
    assert "2 image ids name another view than the list does, which is followed; first 1_R-CC under L-CC" in caplog.text
    assert "1 exams are marked unknown; their labels are taken as they stand; first exam 2" in caplog.text
    assert table["laterality"].tolist()[:2] == ["L", "R"]
    assert table["image_id"].tolist()[:2] == ["1_R-CC", "1_L-CC"]


def test_the_manifest_survives_its_file(made: Callable[..., Manifest], tmp_path: Path) -> None:
    manifest = made([exam("007"), exam("8", cancer_label=None)], masks=["8_L-CC_benign.png"])
    manifest.to_csv(tmp_path / "manifest.csv")
    again = load_manifest(tmp_path / "manifest.csv")
    assert list(again.rows()) == list(manifest.rows())
    assert again.table["first_of_view"].tolist() == ["1"] * 8
    assert again.table["exam_id"].tolist() == ["007"] * 4 + ["8"] * 4


def test_a_list_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "harmed"),)

    (tmp_path / "list.pkl").write_bytes(pickle.dumps([exam(cancer_label=Attack())]))
    with pytest.raises(PickleReadError, match="mkdir"):
        make_manifest(tmp_path / "list.pkl", tmp_path)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.shared
def test_the_published_list(shared: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ids, order and labels are those of the predictions that were published with it."""
    sample = shared / "data" / "nyu_sample"
    manifest = make_manifest(sample / "exam_list_before_cropping.pkl", sample / "images", sample / "segmentation")
    published = pd.read_csv(shared / "spec" / "tables" / "expected_predictions_gmic.csv")
    assert manifest.table["image_id"].tolist() == published["image_index"].tolist()
    for name in ("benign", "malignant"):
        assert manifest.table[name].tolist() == published[f"{name}_label"].tolist()
    rows = {row.image_id: row for row in manifest.rows()}
    assert [name for name, row in rows.items() if row.path.is_file()] == ["0_L-CC", "0_R-CC", "0_L-MLO", "0_R-MLO"]
    assert [name for name, row in rows.items() if row.masks.get("benign")] == ["0_R-CC", "0_R-MLO"]
    assert [name for name, row in rows.items() if row.mask_frame] == ["0_R-CC", "0_R-MLO"]
    assert not any(row.masks.get("malignant") or row.horizontal_flip for row in rows.values())
    assert list(dict.fromkeys(row.exam_id for row in rows.values())) == ["0", "1", "2", "3"]
    assert "12 of 16 images have no file; first 1_L-CC" in caplog.text
