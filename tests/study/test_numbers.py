"""Numbers of arms over seeds and their differences, checked by hand on small tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mammoseg.study.numbers import Answers, numbers_of
from mammoseg.study.plan import Arm

RNG = np.random.default_rng(0)
PATIENTS = 60


def images(shift: float, seed: int) -> pd.DataFrame:
    """Two views of a breast of each patient, every third of which is malignant and has a lesion."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(PATIENTS), 2)
    truth = (patient % 3 == 0).astype(float)
    table = pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(patient.size)],
            "patient_id": [f"p{p}" for p in patient],
            "exam_id": [f"e{p}" for p in patient],
            "laterality": "L",
            "malignant": truth,
            "score_final_malignant": 1 / (1 + np.exp(-(shift * truth + rng.normal(size=patient.size)))),
        }
    )
    lesion = np.where(truth == 1, 1.0, np.nan)
    return table.assign(
        malignant_saliency_dice_soft=lesion * (0.2 * shift + 0.1 * rng.random(patient.size)),
        malignant_saliency_pxap=lesion * 0.3,
        malignant_saliency_pointing_inside=np.where(patient % 6 == 0, 1.0, np.nan),
    )


def arm_of(name: str, shift: float, *seeds: int) -> Answers:
    return Answers(
        Arm(name=name, recipe="gmic_small"),
        {s: images(shift, s + int(10 * shift)) for s in seeds or (0, 1)},
        ("malignant",),
    )


def test_means_over_seeds_and_their_intervals() -> None:
    found = numbers_of(arm := arm_of("a", 1.5), None, "breast")
    auc = found["auc_malignant"]
    by_hand = []
    for table in arm.images.values():
        breasts = table.groupby("patient_id")[["malignant", "score_final_malignant"]].mean()
        by_hand.append(roc_auc_score(breasts["malignant"], breasts["score_final_malignant"]))
    assert auc["of_seeds"] == pytest.approx(by_hand)
    assert auc["value"] == pytest.approx(np.mean(by_hand))
    assert auc["low"] < auc["value"] < auc["high"]
    assert (auc["n"], auc["caution"]) == (PATIENTS, None)
    dice = found["dice_malignant"]
    assert dice["n"] == 40
    assert dice["value"] == pytest.approx(
        np.mean([t["malignant_saliency_dice_soft"].mean() for t in arm.images.values()])
    )
    assert found["pointing_malignant"]["value"] == pytest.approx(0.5), "a map without a peak points nowhere"
    assert "difference" not in auc


def test_differences_are_paired_and_of_the_same_cases() -> None:
    reference, better = arm_of("reference", 1.0), arm_of("better", 3.0, 0)
    found = numbers_of(better, reference, "image")
    auc, dice = found["auc_malignant"], found["dice_malignant"]
    alone = numbers_of(reference, reference, "image")
    assert auc["n"] == 2 * PATIENTS
    assert auc["difference"]["value"] == pytest.approx(auc["value"] - alone["auc_malignant"]["value"])
    assert 0 < auc["difference"]["low"] < auc["difference"]["value"] < auc["difference"]["high"]
    assert dice["difference"]["value"] == pytest.approx(dice["value"] - alone["dice_malignant"]["value"])
    assert dice["difference"]["low"] > 0
    assert "difference" not in alone["auc_malignant"], "the reference itself"
    same = numbers_of(Answers(Arm(name="b", recipe="gmic_small"), reference.images, ("malignant",)), reference, "image")
    assert same["auc_malignant"]["difference"]["value"] == 0


def test_an_arm_without_a_score_has_maps_alone() -> None:
    arm = arm_of("a", 1.5)
    noise = Answers(Arm(name="n", run="a", score=None), arm.images, arm.classes)
    assert {*numbers_of(noise, arm, "breast")} == {"dice_malignant", "pxap_malignant", "pointing_malignant"}
    part = Answers(Arm(name="l", run="a", score="local"), arm.images, arm.classes)
    assert "auc_malignant" not in numbers_of(part, arm, "breast"), "the model has no such part"


def test_one_class_has_no_auc() -> None:
    arm = arm_of("a", 1.5)
    positives = {seed: table[table["malignant"] == 1] for seed, table in arm.images.items()}
    assert "auc_malignant" not in numbers_of(Answers(arm.arm, positives, arm.classes), None, "breast")


@pytest.mark.parametrize("seed", range(3))
def test_differences_of_few_positives_are_not_sure(seed: int) -> None:
    """Two positive patients decide: their draws alone are as good as no interval."""
    few = {"malignant": lambda t: ((t["patient_id"] == "p3") | (t["patient_id"] == "p6")).astype(float)}
    reference, other = arm_of("reference", 1.0, seed), arm_of("other", 1.2, seed + 20)
    tables = [{s: t.assign(**few) for s, t in arm.images.items()} for arm in (reference, other)]
    a, b = (Answers(arm.arm, t, arm.classes) for arm, t in zip((reference, other), tables, strict=True))
    found = numbers_of(b, a, "breast")["auc_malignant"]["difference"]
    assert found["low"] < 0 < found["high"]
    assert found["high"] - found["low"] > 0.5
