"""Which number decides, and what it is computed from."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow
from mammoseg.nn.contract import Criterion
from mammoseg.records.label import CLASSES
from mammoseg.training.selection import ValidationScores, choose_criterion

Label = int | None


def image(exam: str, side: str = "L", benign: Label = 0, malignant: Label = 0) -> ImageRow:
    labels = {name: label for name, label in zip(CLASSES, (benign, malignant), strict=True) if label is not None}
    return ImageRow("p" + exam, exam, f"{exam}{side}", side, "CC", Path("x.png"), labels)  # type: ignore[arg-type]


BOTH = [image("a", malignant=1), image("b")]
ANY: tuple[Criterion, ...] = ("dice", "auc", "loss")
NEGATIVE = [image("a"), image("b")]


def scored(rows: list[ImageRow], malignant: list[float]) -> ValidationScores:
    """All rows seen in one batch, with loss 0.5."""
    scores = ValidationScores(rows, CLASSES)
    y_BK = np.array([[0.5, p] for p in malignant], dtype=np.float32)
    scores.add(list(range(len(rows))), y_BK, 0.5)
    return scores


@pytest.mark.parametrize(
    ("wanted", "rows", "masked", "criterion"),
    [
        ("auto", BOTH, 2, "dice"),
        ("auto", BOTH, 0, "auc"),
        ("auto", NEGATIVE, 2, "dice"),
        ("dice", BOTH, 2, "dice"),
        ("auc", BOTH, 2, "auc"),
    ],
)
def test_dice_where_there_are_lesions_else_auc(
    wanted: str, rows: list[ImageRow], masked: int, criterion: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_criterion(wanted, ANY, rows, CLASSES, masked) == criterion
    assert "AUC is undefined" not in caplog.text


@pytest.mark.parametrize("wanted", ["auto", "auc"])
@pytest.mark.parametrize(
    "rows", [NEGATIVE, [image("a", malignant=1), image("b", malignant=1)], [image("a", malignant=None, benign=None)]]
)
def test_the_loss_with_a_warning_where_auc_is_undefined(
    wanted: str, rows: list[ImageRow], caplog: pytest.LogCaptureFixture
) -> None:
    if all(row.labels.get("malignant") for row in rows):
        rows = [replace(row, labels={**row.labels, "benign": 1}) for row in rows]
    with caplog.at_level(logging.WARNING):
        assert choose_criterion(wanted, ANY, rows, CLASSES, 0) == "loss"
    assert "AUC is undefined" in caplog.text


def test_a_stage_is_judged_by_what_it_says(caplog: pytest.LogCaptureFixture) -> None:
    assert choose_criterion("auto", ("auc", "dice"), BOTH, CLASSES, 2) == "auc"
    assert choose_criterion("auto", ("auc", "dice"), NEGATIVE, CLASSES, 2) == "dice"
    assert choose_criterion("auto", ("loss",), BOTH, CLASSES, 2) == "loss"
    assert choose_criterion("dice", ("auc",), BOTH, CLASSES, 2) == "dice"
    assert "AUC is undefined" not in caplog.text


def test_a_few_masks_do_not_decide_for_many_lesions(caplog: pytest.LogCaptureFixture) -> None:
    """The log says which number decides, and why."""
    many = [image(str(n), malignant=n % 2) for n in range(20)]
    with caplog.at_level(logging.INFO):
        assert choose_criterion("auto", ANY, many, CLASSES, 4) == "auc"
        assert choose_criterion("auto", ANY, many, CLASSES, 5) == "dice"
        assert choose_criterion("dice", ANY, many, CLASSES, 1) == "dice", "whoever says so"
    told = [record.getMessage() for record in caplog.records]
    assert told[0].endswith(
        "chosen by auc of benign and malignant: 4 of 10 validation images with a lesion have it in a mask, and Dice needs at least "
        "50% of them"
    )
    assert told[1].endswith(
        "chosen by dice of benign and malignant: 5 of 10 validation images with a lesion have it in a mask"
    )


def test_dice_cannot_be_had_without_lesions() -> None:
    with pytest.raises(ValueError, match=r"no validation image has a lesion.*--set select_by=auc"):
        choose_criterion("dice", ANY, BOTH, CLASSES, 0)


def test_the_class_that_decides_must_be_there(caplog: pytest.LogCaptureFixture) -> None:
    """Benign breasts alone have no AUC of malignant."""
    benign = [replace(image("a"), labels={"benign": 1, "malignant": 0}), image("b")]
    assert choose_criterion("auto", ("auc", "loss"), benign, CLASSES, 0) == "auc"
    assert choose_criterion("auto", ("auc", "loss"), benign, ("malignant",), 0) == "loss"
    assert "AUC is undefined" in caplog.text


@pytest.mark.parametrize(("positive", "negative", "told"), [(9, 30, True), (30, 9, True), (10, 10, False)])
def test_few_breasts_are_warned_of(positive: int, negative: int, told: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Breasts, not images."""
    rows = [image(f"p{n}", malignant=1) for n in range(positive)] + [image(f"n{n}") for n in range(negative)]
    rows += [replace(row, image_id=row.image_id + "MLO", labels={**row.labels, "malignant": 0}) for row in rows]
    assert choose_criterion("auto", ("auc",), rows, ("malignant",), 0) == "auc"
    warning = f"{positive} breasts with malignant and {negative} without: an AUC of so few is mostly chance"
    assert (warning in caplog.text) == told


def test_auc_is_of_breasts() -> None:
    """The mean of a breast's images counts: 0.2 and 0.7 are above 0.4 together."""
    rows = [image("a", malignant=1), image("a", malignant=1), image("b"), image("b", side="R")]
    values = scored(rows, [0.2, 0.7, 0.4, 0.3]).compute("auc")
    assert values["auc_malignant"] == 1
    assert "auc_benign" not in values
    assert values["select"] == 1


def test_a_breast_is_positive_if_one_image_is_and_negative_only_if_all_are() -> None:
    rows = [image("a", malignant=None), image("a", malignant=1), image("b"), image("c"), image("c", malignant=None)]
    assert scored(rows, [0.9, 0.9, 0.1, 1, 1]).compute("auc")["auc_malignant"] == 1
    assert scored(rows, [0.1, 0.1, 0.9, 0, 0]).compute("auc")["auc_malignant"] == 0


@pytest.mark.filterwarnings("error")
def test_breasts_of_unknown_label_do_not_count() -> None:
    rows = [image("a", malignant=1), image("b"), image("c", malignant=None, benign=None)]
    assert scored(rows, [0.6, 0.4, 0.9]).compute("auc")["auc_malignant"] == 1


def test_dice_is_the_mean_over_classes_of_the_mean_over_lesions() -> None:
    scores = scored(BOTH, [0.5, 0.5])
    lesion = np.array([[True, False]])
    scores.add_map("benign", np.array([[1.0, 0.0]]), lesion)
    scores.add_map("malignant", np.array([[0.0, 1.0]]), lesion)
    scores.add_map("malignant", np.array([[1.0, 0.0]]), lesion)
    scores.add_map("malignant", np.array([[1.0, 0.0]]), np.zeros((1, 2), dtype=bool))  # undefined: left out
    values = scores.compute("dice")
    assert values["dice_benign"] == pytest.approx(1)
    assert values["dice_malignant"] == pytest.approx(0.5)
    assert values["select"] == pytest.approx(0.75)
    assert scores.compute("dice", ["malignant"])["select"] == pytest.approx(0.5)


def test_maps_a_little_outside_the_range_are_probabilities() -> None:
    scores = scored(BOTH, [0.5, 0.5])
    scores.add_map("benign", np.array([[1.0000001, -1e-9]]), np.array([[True, False]]))
    assert scores.compute("dice")["dice_benign"] == pytest.approx(1)


def test_the_loss_is_weighted_by_images_and_lower_is_better() -> None:
    scores = ValidationScores([*BOTH, image("c")], CLASSES)
    scores.add([0, 1], np.full((2, 2), 0.5), 1.0)
    scores.add([2], np.full((1, 2), 0.5), 4.0)
    values = scores.compute("loss")
    assert values["loss"] == pytest.approx(2)
    assert values["select"] == pytest.approx(-2)


# A model that predicts malignant alone


def test_only_the_classes_of_the_model_decide_how_epochs_are_chosen(caplog: pytest.LogCaptureFixture) -> None:
    rows = [image("a", benign=1, malignant=0), image("b", benign=0, malignant=0)]
    assert choose_criterion("auto", ANY, rows, CLASSES, 0) == "auc"
    assert "AUC is undefined" not in caplog.text
    assert choose_criterion("auto", ANY, rows, ("malignant",), 0) == "loss"
    assert "AUC is undefined" in caplog.text
    assert choose_criterion("auto", ANY, BOTH, ("malignant",), 0) == "auc"
    with pytest.raises(ValueError, match=r"Add malignant_mask to the manifest"):
        choose_criterion("dice", ANY, BOTH, ("malignant",), 0)


@pytest.mark.parametrize(("classes", "auc"), [(("malignant",), {"auc_malignant": 1}), (("benign",), {"auc_benign": 0})])
def test_scores_of_one_class(classes: tuple[str, ...], auc: dict[str, float]) -> None:
    """Its one column of predictions meets its own column of labels."""
    rows = [
        image("a", benign=0, malignant=1),
        image("b", benign=1, malignant=0),
        image("c", benign=None, malignant=None),
    ]
    scores = ValidationScores(rows, classes)
    scores.add([0, 1, 2], np.array([[0.9], [0.1], [0.5]]), 0.5)
    scores.add_map(classes[0], np.array([[1.0, 0.0]]), np.array([[True, False]]))
    values = scores.compute("auc")
    assert {name: value for name, value in values.items() if name.startswith("auc_")} == auc
    assert values["select"] == auc[f"auc_{classes[0]}"]
    assert [name for name in values if name.startswith("dice_")] == [f"dice_{classes[0]}"]
