"""The predictions folder: written and read back, damaged on purpose, and collected into one table."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mammoseg.io import runs
from mammoseg.io.errors import RunFileError
from mammoseg.io.runs import load_prediction, save_prediction
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.records.breast import BreastFacts
from mammoseg.records.finding import Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Patch, Prediction
from mammoseg.records.saliency import findings_of
from mammoseg.records.source import DicomIdentity, Source

GRID = PixelGrid((60, 50), (60, 50), True, 4, -3, 48, 40, (48, 40))
FINDING = Finding("malignant", 1.0, (10.5, 3.25), (8, 2, 12, 6), ((8, 2), (12, 2), (12, 6)))


BAD_FINDINGS: list[dict[str, object]] = [
    {"label": "other"},
    {"score": 1.5},
    {"score": float("nan")},
    {"peak": (-0.5, 3)},
    {"peak": (10, float("nan"))},
    {"box": (8, 2, 12, 50.5)},
    {"box": (8, 6, 12, 2)},
    {"box": (8, 2, 8, 6)},
    {"polygon": ((8, 2), (12, 2))},
    {"polygon": ((8, 2), (12, 2), (61, 2))},
]


def prediction(image_id: str = "a-1", **changes: object) -> Prediction:
    rng = np.random.default_rng(0)
    made = Prediction(
        image_id=image_id,
        patient_id="007",
        exam_id="e1",
        laterality="L",
        view="CC",
        scores={"benign": 0.25, "malignant": 1 / 3},
        grid=GRID,
        maps={"saliency": rng.random((2, 48, 40), np.float32), "global": rng.random((2, 6, 5), np.float32)},
        findings=(FINDING, Finding("benign", 0.5, (0.0, 50.0))),
        patches=(Patch(-2, 3, 16, {"benign": 0.0, "malignant": 1.0}),),
        parts={"global": {"benign": 0.1, "malignant": 0.2}},
        notes=("the pectoral muscle is in the window", "ü"),
        patches_of="checkpoint 1",
        inputs={"pixel_mm": 0.1, "horizontal_flip": None, "files": ["5ac4"]},
    )
    return replace(made, **changes)


def test_round_trip(tmp_path: Path) -> None:
    identity = DicomIdentity("1.2", "1.2.3", "1.2.3.4", "1.2.3.4.5", frame=2)
    source = Source(Path("/a/ä.dcm"), "5ac4", 60, 50, (0.1, 0.2), identity)
    facts = BreastFacts(0.9, 0.3, 100.5, None, (1, 2, 3, 4, 5), 0.01)
    made_by = {"checkpoint_sha256": "c0", "settings_sha256": "5e"}
    given = prediction(made_by=made_by, source=source, facts=facts, reading=("as it is",))
    save_prediction(tmp_path, given)
    read = load_prediction(tmp_path, "a-1")
    assert replace(read, maps={}) == replace(given, maps={})
    assert set(read.maps) == {"saliency", "global"}
    for name, values in read.maps.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, given.maps[name].astype(np.float16))


def test_what_decided_a_prediction_is_read_without_its_maps(tmp_path: Path) -> None:
    save_prediction(tmp_path, prediction())
    (tmp_path / "maps" / "a-1.npz").write_bytes(b"")
    assert runs.read_record(tmp_path, "a-1").about == replace(prediction(), maps={})


def test_records_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    save_prediction(tmp_path, prediction())
    path = runs.record_path(tmp_path, "a-1")
    record = json.loads(path.read_text())
    for name in ("inputs", "patches_of", "made_by", "files", "findings", "source", "facts", "reading"):
        del record[name]
    path.write_text(json.dumps({**record, "format": 1}))
    read = load_prediction(tmp_path, "a-1")
    assert (read.inputs, read.patches_of, read.made_by, read.source, read.facts) == ({}, "", {}, None, None)
    assert read.findings == findings_of(prediction()) != ()
    record = runs.read_record(tmp_path, "a-1")
    assert record.old
    assert not runs.is_whole(tmp_path, record)


def test_maps_of_another_prediction_are_not_taken_for_its_own(tmp_path: Path) -> None:
    """Of the same names and shapes: only the content tells."""
    save_prediction(tmp_path, prediction())
    ones = {name: np.ones_like(values) for name, values in prediction().maps.items()}
    save_prediction(tmp_path, prediction("b", maps=ones))
    (tmp_path / "maps" / "b.npz").replace(tmp_path / "maps" / "a-1.npz")
    with pytest.raises(RunFileError, match=r"a-1\.npz is damaged .*not the file that was written with the record"):
        load_prediction(tmp_path, "a-1")


@pytest.mark.parametrize("name", ["a-1.npz", "a-1_benign.png", "a-1_malignant.png"])
@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["gone", "emptied"])
def test_a_prediction_with_all_its_maps_is_whole(tmp_path: Path, name: str, change: Callable[[Path], object]) -> None:
    save_prediction(tmp_path, prediction())
    record = runs.read_record(tmp_path, "a-1")
    assert runs.is_whole(tmp_path, record)
    change(tmp_path / "maps" / name)
    assert not runs.is_whole(tmp_path, record)


def test_the_same_prediction_is_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        save_prediction(tmp_path / folder, prediction())
    files = [{p.name: p.read_bytes() for p in (tmp_path / f).rglob("*") if p.is_file()} for f in ("one", "two")]
    assert files[0] == files[1]


def test_no_table_stays_that_says_something_else_than_the_records(tmp_path: Path) -> None:
    tables = [tmp_path / "predictions.csv", tmp_path / "predictions_published.csv"]
    for change in (
        lambda: save_prediction(tmp_path, prediction()),
        lambda: runs.remove_prediction(tmp_path, "a-1"),
        lambda: runs.clear_run(tmp_path),
    ):
        for table in tables:
            table.touch()
        change()
        assert not any(table.exists() for table in tables)


def test_png_maps_are_in_original_pixels(tmp_path: Path) -> None:
    given = prediction()
    save_prediction(tmp_path, given)
    expected = np.rint(GRID.restore(given.maps["saliency"]).astype(np.float64) * 65535)
    for index, name in enumerate(("benign", "malignant")):
        stored = cv2.imread(str(runs.map_png_path(tmp_path, "a-1", name)), cv2.IMREAD_UNCHANGED)
        assert stored.dtype == np.uint16
        assert stored.shape == (60, 50)
        assert np.abs(stored - expected[index]).max() <= 1  # float32 against float64 rounding


def test_certain_probabilities_use_the_whole_range(tmp_path: Path) -> None:
    save_prediction(tmp_path, prediction(maps={"saliency": np.ones((2, 48, 40), np.float32)}))
    stored = cv2.imread(str(runs.map_png_path(tmp_path, "a-1", "benign")), cv2.IMREAD_UNCHANGED)
    assert sorted(np.unique(stored)) == [0, 65535]


def test_done_means_the_record_is_there(tmp_path: Path) -> None:
    assert not runs.is_done(tmp_path, "a-1")
    assert runs.predicted_ids(tmp_path) == []
    for name in ("b", "a-1"):
        save_prediction(tmp_path, prediction(name))
    (tmp_path / "records" / ".c.1234.json").touch()  # left by a killed run
    assert runs.predicted_ids(tmp_path) == ["a-1", "b"]
    assert runs.is_done(tmp_path, "b")


def test_a_stop_while_writing_leaves_the_image_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_prediction(tmp_path, prediction())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_prediction(tmp_path, prediction())
    assert not runs.is_done(tmp_path, "a-1")
    assert [p.name for p in (tmp_path / "maps").iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scores": {"benign": float("nan"), "malignant": 0.5}}, "expected a probability for each"),
        ({"scores": {"malignant": 0.5}}, "expected a probability for each"),
        ({"scores": {}}, "expected a probability for each class"),
        ({"scores": {"malignant": 0.5, "benign": 0.5}}, r"global is .* for each of \['malignant', 'benign'\]"),
        ({"scores": {"benign": 0.5, "malignant": 0.5, "normal": 0.5}}, "global is"),
        ({"scores": {"../benign": 0.5}, "parts": {}, "patches": ()}, "expected a probability for each class"),
        ({"scores": {"view": 0.5}, "parts": {}, "patches": ()}, "expected a probability for each class"),
        (
            {"scores": {"a": 0.5, "b_a": 0.5}, "parts": {"b": {"a": 0.5, "b_a": 0.5}}, "patches": ()},
            "b_a is twice a name",
        ),
        ({"patches": (Patch(0, 0, 16, {"malignant": 0.5}),)}, "patch 0 is"),
        ({"maps": {"saliency": np.zeros((1, 48, 40))}}, r"has shape \(1, 48, 40\); expected \(2, rows, columns\)"),
        ({"parts": {"local": {"benign": 2.0, "malignant": 0.5}}}, "local is"),
        ({"maps": {"global": np.zeros((2, 3, 3))}}, "no map 'saliency'"),
        ({"maps": {"saliency": np.full((2, 48, 40), np.nan)}}, "expected probabilities"),
        ({"maps": {"saliency": np.full((2, 48, 40), 1.1)}}, "expected probabilities"),
        ({"maps": {"saliency": np.zeros((48, 40))}}, "has shape"),
        ({"image_id": "../a"}, "no file name"),
        *(
            ({"findings": (replace(FINDING, **change),)}, "finding 0 is .* in the 60 x 50 pixels")
            for change in BAD_FINDINGS
        ),
        ({"grid": replace(GRID, original_shape=(10**6, 10**6))}, "expected at most"),
    ],
)
def test_what_is_no_prediction_is_not_written(tmp_path: Path, changes: dict[str, object], expected: str) -> None:
    with pytest.raises(RunFileError, match=expected):
        save_prediction(tmp_path / "run", prediction(**changes))
    assert list(tmp_path.rglob("*")) == []


def one_class(image_id: str = "a-1", side: str = "L", score: float = 1 / 3) -> Prediction:
    """Of a model that predicts malignant alone."""
    return prediction(
        image_id,
        laterality=side,
        scores={"malignant": score},
        maps={name: values[1:] for name, values in prediction().maps.items()},
        findings=(FINDING,),
        patches=(Patch(-2, 3, 16, {"malignant": 1.0}),),
        parts={"global": {"malignant": score / 2}},
    )


def test_one_class_round_trip(tmp_path: Path) -> None:
    given = one_class()
    save_prediction(tmp_path, given)
    read = load_prediction(tmp_path, "a-1")
    assert replace(read, maps={}) == replace(given, maps={})
    assert {name: values.shape for name, values in read.maps.items()} == {"saliency": (1, 48, 40), "global": (1, 6, 5)}
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == ["a-1.npz", "a-1_malignant.png"]
    stored = cv2.imread(str(runs.map_png_path(tmp_path, "a-1", "malignant")), cv2.IMREAD_UNCHANGED)
    expected = np.rint(GRID.restore(given.maps["saliency"])[0].astype(np.float64) * 65535)
    assert np.abs(stored - expected).max() <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"parts": prediction().parts},
        {"patches": prediction().patches},
        {"maps": prediction().maps},
        {"scores": {"normal": 0.5}},
    ],
)
def test_one_class_in_some_places_and_two_in_others_is_no_prediction(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(RunFileError, match="expected"):
        save_prediction(tmp_path / "run", replace(one_class(), **changes))
    assert list(tmp_path.rglob("*")) == []


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 3, len(data) // 3 + 40):
        data[at] ^= 255
    path.write_bytes(bytes(data))


def other_shape(path: Path) -> None:
    np.savez_compressed(path, saliency=np.zeros((2, 5, 5), np.float16))


def pickled(path: Path) -> None:
    np.savez(path, saliency=np.array([{}], dtype=object))


@pytest.mark.parametrize(
    "damage", [truncate, flip_bytes, other_shape, pickled, Path.unlink, lambda p: p.write_bytes(b"")]
)
def test_damaged_maps_are_told(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    save_prediction(tmp_path, prediction())
    damage(tmp_path / "maps" / "a-1.npz")
    with pytest.raises(RunFileError, match=r"a-1\.npz is damaged"):
        load_prediction(tmp_path, "a-1")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"findings": [{}]},
        {"findings": [{"label": "malignant", "score": "high", "peak": [1, 2]}]},
        {"findings": [{"label": "malignant", "score": 0.5, "peak": [1, 2, 3]}]},
        {"findings": [{"label": "malignant", "score": 0.5, "peak": [1, 61]}]},
        {"source": {"path": "a"}},
        {"source": {"path": "a", "sha256": "0", "rows": "many", "columns": 1}},
        {"grid": {**asdict(GRID), "original_shape": [10**30, 10**30]}, "format": 1},
        {"image_id": "other"},
        {"scores": {"benign": 0.5}},
        {"scores": {"benign": "0.5", "malignant": 0.1}},
        {"scores": None},
        {"parts": [1]},
        {"grid": {"top": 1}},
        {"patches": [{"row": 1}]},
        {"patches": [{"row": 1, "col": 1, "size": 16, "scores": {"malignant": 0.5}}]},
        {"maps": {}},
        {"maps": {"saliency": 5}},
        {"maps": {"saliency": [2, 10**12, 10**12], "global": [2, 6, 5]}},
        {"files": {"maps/a-1.npz": {"bytes": 1, "sha256": "0"}}},
        {"files": [1]},
        {"made_by": "somebody"},
        {"inputs": 3},
        {"patient_id": 7},
        {"view": None},
    ],
)
def test_damaged_records_are_told(tmp_path: Path, change: dict[str, object]) -> None:
    save_prediction(tmp_path, prediction())
    path = tmp_path / "records" / "a-1.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RunFileError, match=r"a-1\.(json|npz) is damaged"):
        load_prediction(tmp_path, "a-1")


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00", "[" * 100_000], ids=lambda text: text[:5])
def test_records_that_are_no_json(tmp_path: Path, text: str) -> None:
    save_prediction(tmp_path, prediction())
    (tmp_path / "records" / "a-1.json").write_text(text)
    with pytest.raises(RunFileError, match=r"a-1\.json is damaged"):
        load_prediction(tmp_path, "a-1")
    with pytest.raises(RunFileError, match=r"a-1\.json is damaged"):
        write_predictions_csv(tmp_path)


def test_asking_for_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"image x has no prediction in .* Run mammoseg predict"):
        load_prediction(tmp_path, "x")
    with pytest.raises(RunFileError, match="no file name"):
        load_prediction(tmp_path, "../../etc/passwd")
    with pytest.raises(RunFileError, match="is not a predictions folder"):
        runs.read_run(tmp_path)


def test_run_json(tmp_path: Path) -> None:
    runs.write_run(tmp_path, {"checkpoint": "abc", "version": "0.1"})
    assert runs.read_run(tmp_path) == {"checkpoint": "abc", "version": "0.1"}


def test_a_cleared_run_is_gone_and_nothing_else(tmp_path: Path) -> None:
    save_prediction(tmp_path, prediction())
    runs.overlay_path(tmp_path, "a-1").parent.mkdir()
    runs.overlay_path(tmp_path, "a-1").touch()
    runs.write_run(tmp_path, {})
    write_predictions_csv(tmp_path)
    (tmp_path / "maps" / "of_somebody_else.png").touch()
    (tmp_path / "notes.txt").touch()
    runs.clear_run(tmp_path)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["notes.txt", "of_somebody_else.png"]
    runs.clear_run(tmp_path / "missing")


def test_one_prediction_is_removed_with_all_its_files(tmp_path: Path) -> None:
    for name in ("a-1", "b"):
        save_prediction(tmp_path, prediction(name))
        runs.overlay_path(tmp_path, name).parent.mkdir(exist_ok=True)
        runs.overlay_path(tmp_path, name).touch()
    runs.remove_prediction(tmp_path, "a-1")
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["b.json", "b.npz", "b.png", "b_benign.png", "b_malignant.png"]


def test_a_cleared_run_leaves_no_map_of_an_earlier_model(tmp_path: Path) -> None:
    save_prediction(tmp_path, prediction())
    save_prediction(tmp_path, one_class())
    runs.clear_run(tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
