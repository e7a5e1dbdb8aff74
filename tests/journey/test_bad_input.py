"""Images and tables that are not as they should be: each gets a message that says what to do, and no traceback."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from mammoseg.config import to_yaml
from mammoseg.data.manifest import Manifest
from mammoseg.training.config import TrainConfig

Command = Callable[..., Any]


@pytest.fixture
def pixels(phantom_study: Manifest) -> NDArray[np.uint16]:
    """A left CC view."""
    row = next(row for row in phantom_study.rows() if row.image_id.endswith("L-CC"))
    return cv2.imread(str(row.path), cv2.IMREAD_UNCHANGED)  # type: ignore[return-value]


def test_bad_images_are_listed_and_the_rest_goes_on(
    here: Path, pixels: NDArray[np.uint16], trained_run: Path, command: Command
) -> None:
    eight = (pixels // 16).astype(np.uint8)
    encoded = cv2.imencode(".png", pixels)[1].tobytes()
    good: dict[str, NDArray[Any]] = {
        "good": pixels,
        "eight bits": eight,
        "rgb": np.dstack([eight] * 3),
        "colour": np.dstack([eight, eight // 2, eight]),
        "small": pixels[50:110, :40],
        "touching all borders": np.full_like(pixels, 1000),
        "wrong side": np.ascontiguousarray(pixels[:, ::-1]),
    }
    bad: dict[str, tuple[bytes | NDArray[Any] | None, str]] = {
        "missing": (None, "No such file"),
        "empty": (b"", "the file is empty"),
        "text": (b"hello", "no image that can be read (unknown format)"),
        "truncated": (encoded[: len(encoded) // 2], "damaged or cut short"),
        "black": (np.zeros_like(pixels), "no breast found"),
        "tiny": (pixels[:2, :2], "no breast found"),
    }
    table = []
    for number, (name, content) in enumerate({**good, **{n: c for n, (c, _) in bad.items()}}.items()):
        file = here / f"{name} ü.png"
        if isinstance(content, bytes):
            file.write_bytes(content)
        elif content is not None:
            file.write_bytes(cv2.imencode(".png", content)[1].tobytes())
        image_id = name.replace(" ", "-")
        ids = {"patient_id": f"p{number}", "exam_id": f"e{number}", "image_id": image_id}
        table.append({**ids, "laterality": "L", "view": "CC", "path": file.name, "pixel_mm": 1.12})
    pd.DataFrame(table).to_csv(here / "manifest.csv", index=False)
    done = command("predict", "--checkpoint", trained_run, "--manifest", "manifest.csv", "--out", "out")
    assert done.code == 3
    done.says("7 images predicted, 0 done before, 6 failed: out", "why: out/errors.csv")
    errors = pd.read_csv(here / "out" / "errors.csv").set_index("image_id")["message"]
    assert set(errors.index) == set(bad)
    for name, (_, reason) in bad.items():
        assert reason in errors[name]
        assert "Expected" in errors[name]
    assert {path.stem for path in (here / "out" / "records").iterdir()} == {name.replace(" ", "-") for name in good}
    notes = json.loads((here / "out" / "records" / "wrong-side.json").read_text())["notes"]
    assert "wrong laterality in the table" in notes[0]
    done.says(f"wrong-side: {notes[0]}")
    again = command("predict", "--checkpoint", trained_run, "--manifest", "manifest.csv", "--out", "out")
    again.says("0 images predicted, 7 done before, 6 failed")
    assert len(pd.read_csv(here / "out" / "errors.csv")) == 6


def test_pixel_size_is_needed(here: Path, pixels: NDArray[np.uint16], trained_run: Path, command: Command) -> None:
    cv2.imwrite("a_L-CC.png", pixels)
    arguments = ("predict", "a_L-CC.png", "--checkpoint", trained_run, "--out", "out")
    done = command(*arguments)
    assert done.code == 3
    done.says("the pixel size is unknown", "resampled to 2.24 mm", "--pixel-mm", "1 of 1 images show too little")
    done = command(*arguments, "--pixel-mm", "1.12")
    assert done.code == 0
    done.says("1 images predicted, 0 done before")
    assert not (here / "out" / "errors.csv").exists()


def test_names_without_side_and_view(
    here: Path, pixels: NDArray[np.uint16], trained_run: Path, command: Command
) -> None:
    cv2.imwrite("scan1.png", pixels)
    done = command("predict", "scan1.png", "--checkpoint", trained_run, "--out", "out")
    assert done.code == 1
    done.says("0 images predicted, 0 done before, 1 failed", "out/errors.csv")
    assert "scan1.png: the name tells no side and view" in Path("out/errors.csv").read_text()
    done = command("predict", "scan2.png", "--checkpoint", trained_run, "--out", "out2")
    assert done.code == 2
    done.says("'scan2.png' does not exist")
    assert not Path("out2").exists()


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (lambda t: t.assign(image_id=["same", "same", *t["image_id"][2:]]), ["same image_id more than once", "rows 2, 3"]),
        (lambda t: t.assign(split=["test", *t["split"][1:]]), ["the same patient in different splits", "rows 2, 3, 4, 5"]),
        (lambda t: t.assign(laterality="B"), ["laterality must be L or R", "row 2 'B'", "and 43 more"]),
        (lambda t: t.assign(benign_mask="no.png"), ["benign_mask: there is no such file", "no.png"]),
        (lambda t: t.drop(columns="view"), ["the column 'view' is missing"]),
        (lambda t: t.iloc[:0], ["the table has no rows"]),
        (lambda t: t.assign(split="val"), ["no image has split 'train'", "Expected at least one row"]),
        (lambda t: t.assign(benign="", malignant=""), ["none of the training images has a known label"]),
    ],
    ids=["ids", "leak", "side", "no mask", "no view", "no rows", "no train", "no labels"],
)  # fmt: skip
def test_tables_that_cannot_be_trained_on(
    here: Path,
    table: pd.DataFrame,
    train: Command,
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    parts: list[str],
) -> None:
    done = train(spoil(table))
    assert (done.code, done.out) == (1, "")
    done.says(*parts)
    assert not (here / "run").exists(), "nothing is begun"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read (No such file"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8 text"),
        (b"PK\x03\x04", "an Excel workbook"),
        (b"", "the file is empty"),
        (b"a;b\n1;2\n", "separated by ';'; expected commas"),
    ],
)
def test_files_that_are_no_manifest(here: Path, command: Command, content: bytes | None, reason: str) -> None:
    if content is not None:
        (here / "x.csv").write_bytes(content)
    for verb in (
        ("train", "--recipe", "glam_small"),
        ("prepare", "--recipe", "glam_small"),
        ("evaluate", "--predictions", "nowhere"),
    ):
        done = command(*verb, "--manifest", "x.csv", "--out", "out")
        assert (done.code, done.out) == (1, "")
        done.says("mammoseg: x.csv: ", reason, "xpected")


def test_no_positive_in_validation_is_told_and_works(table: pd.DataFrame, train: Command) -> None:
    val = table["split"] == "val"
    table.loc[val, ["benign", "malignant"]] = "0"
    table.loc[val, ["benign_mask", "malignant_mask"]] = ""
    done = train(table)
    assert done.code == 0
    done.says("Validation has no class with both positive and negative images", "more patients")


def test_images_that_fail_in_training_are_left_out(here: Path, table: pd.DataFrame, train: Command) -> None:
    table.loc[0, "path"] = "nowhere.png"
    done = train(table)
    assert done.code == 3
    done.says("1 images could not be prepared: run/errors.csv")
    assert pd.read_csv(here / "run" / "errors.csv")["image_id"].tolist() == [table["image_id"][0]]


def test_a_mask_of_another_size(
    here: Path, table: pd.DataFrame, train: Command, trained_run: Path, command: Command
) -> None:
    cv2.imwrite("small.png", np.full((50, 50), 255, np.uint8))
    masked = (table["benign_mask"] != "") | (table["malignant_mask"] != "")
    name = {split: table.index[masked & (table["split"] == split)][0] for split in ("val", "test")}
    for index in name.values():
        column = "benign_mask" if table.loc[index, "benign_mask"] else "malignant_mask"
        table.loc[index, column] = str(here / "small.png")
    done = train(table)
    assert done.code == 1
    done.says("small.png: the mask has (50, 50) pixels", "(208, 160)")
    assert "global 1/1" not in done.err, "it is found before the training"

    test = ("--manifest", "manifest.csv", "--split", "test")
    arguments = ("predict", "--checkpoint", trained_run, *test, "--out", "out")
    done = command(*arguments)
    assert done.code == 0, "a prediction does not need it"
    done.says("drawn without its true lesion", "small.png: the mask has (50, 50) pixels")
    done = command("evaluate", "--predictions", "out", *test, "--out", "metrics", "--bootstrap", 0)
    assert done.code == 1
    done.says("small.png: the mask has (50, 50) pixels", "Correct the mask file")


def test_wrong_laterality_in_the_table(
    here: Path, table: pd.DataFrame, tiny_config: TrainConfig, command: Command
) -> None:
    swapped = table["laterality"].map({"L": "R", "R": "L"})
    table.assign(laterality=swapped, horizontal_flip="").to_csv("manifest.csv", index=False)
    (here / "tiny.yaml").write_text(to_yaml(tiny_config))
    prepare = ("prepare", "--recipe", "glam_small", "--config", "tiny.yaml", "--manifest", "manifest.csv")
    done = command(*prepare, "--out", "out", "--no-previews")
    assert done.code == 0
    done.says("48 of 48 images prepared, 48 with remarks: out/prepared.csv")
    remarks = pd.read_csv(here / "out" / "prepared.csv")["remarks"]
    assert remarks.str.contains("wrong laterality in the table").all()


def test_labels_all_unknown_in_evaluation(here: Path, table: pd.DataFrame, trained_run: Path, command: Command) -> None:
    unknown = dict.fromkeys(("benign", "malignant", "benign_mask", "malignant_mask"), "")
    table[table["split"] == "test"].assign(**unknown).to_csv("manifest.csv", index=False)
    command("predict", "--checkpoint", trained_run, "--manifest", "manifest.csv", "--out", "out", "--no-overlays")
    done = command("evaluate", "--predictions", "out", "--manifest", "manifest.csv", "--out", "metrics")
    assert done.code == 0
    done.says("undefined", "no case with a positive", "12 unknown")
