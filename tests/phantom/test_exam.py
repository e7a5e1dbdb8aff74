from collections.abc import Callable

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import PhantomExam, PhantomImage, generate_exam

SMALL = PhantomConfig.small()
NAMES = ["L-CC", "R-CC", "L-MLO", "R-MLO"]


@pytest.fixture(scope="module")
def exams() -> list[PhantomExam]:
    return [generate_exam(SMALL, index, 2024) for index in range(130)]


def masks(image: PhantomImage) -> dict[str, np.ndarray]:
    return {"benign": image.benign_mask, "malignant": image.malignant_mask}


def test_the_same_exam_again_whatever_came_before() -> None:
    first = generate_exam(SMALL, 3, 9)
    generate_exam(SMALL, 0, 9)
    generate_exam(PhantomConfig.small(rows=208, columns=160, pixel_mm=1.12), 3, 9)
    second = generate_exam(SMALL, 3, 9)
    assert first.lesions == second.lesions
    for name in NAMES:
        np.testing.assert_array_equal(first.images[name].pixels, second.images[name].pixels)
        np.testing.assert_array_equal(first.images[name].malignant_mask, second.images[name].malignant_mask)
    for other in (generate_exam(SMALL, 4, 9), generate_exam(SMALL, 3, 10)):
        assert (other.images["L-CC"].pixels != first.images["L-CC"].pixels).any()


def test_the_same_exams_with_other_margins() -> None:
    """Labels and masks stay, and the pixels far from masses."""
    for index in range(12):
        sharp, faded = (generate_exam(PhantomConfig.small(ill_defined_share=share), index, 0) for share in (0, 1))
        assert faded.labels == sharp.labels
        for name, image in sharp.images.items():
            other = faded.images[name]
            assert np.array_equal(image.benign_mask, other.benign_mask)
            assert np.array_equal(image.malignant_mask, other.malignant_mask)
            masses = [lesion for lesion in sharp.lesions[image.laterality] if lesion.kind == "mass"]
            assert bool(masses) == bool((image.pixels != other.pixels).any())


@pytest.mark.parametrize(("index", "seed"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(index: int, seed: int) -> None:
    with pytest.raises(ValueError, match="expected both"):
        generate_exam(SMALL, index, seed)


def test_images_follow_the_conventions(exams: list[PhantomExam]) -> None:
    for exam in exams[:20]:
        assert list(exam.images) == NAMES
        assert exam.density in "abcd"
        for name, image in exam.images.items():
            pixels = image.pixels
            assert f"{image.laterality}-{image.view}" == name
            assert pixels.dtype == np.uint16
            assert pixels.shape == (416, 320)
            assert pixels.flags.c_contiguous
            assert pixels.max() <= 4095
            chest, outside = (0, -1) if image.laterality == "L" else (-1, 0)
            assert (pixels[:, chest] > 0).mean() > 0.4
            assert (pixels[:, outside] == 0).all()
            assert cv2.connectedComponents((pixels > 0).astype(np.uint8), connectivity=4)[0] == 2


def test_masks_are_inside_the_breast_and_match_the_labels(exams: list[PhantomExam]) -> None:
    for exam in exams:
        for image in exam.images.values():
            for label, mask in masks(image).items():
                assert mask.dtype == bool
                assert mask.any() == exam.labels[image.laterality][label]
                assert (image.pixels[mask] > 0).all()


def test_both_views_show_a_lesion_at_its_depth_and_size(exams: list[PhantomExam]) -> None:
    seen = 0
    for exam in exams:
        for side, lesions in exam.lesions.items():
            if len(lesions) != 1:
                continue
            (lesion,) = lesions
            for view in ("CC", "MLO"):
                mask = masks(exam.images[f"{side}-{view}"])[lesion.label]
                mask = mask if side == "L" else mask[:, ::-1]
                depth = (np.nonzero(mask)[1].mean() + 0.5) * SMALL.pixel_mm
                assert depth == pytest.approx(lesion.place.depth, abs=0.6 * lesion.radius_mm)
                area = mask.sum() * SMALL.pixel_mm**2
                assert 0.1 < area / (np.pi * lesion.radius_mm**2) < 1.8
            seen += 1
    assert seen > 60


def test_prevalence_follows_the_configuration(exams: list[PhantomExam]) -> None:
    breasts = [exam.labels[side] for exam in exams for side in "LR"]
    assert np.mean([b["malignant"] for b in breasts]) == pytest.approx(0.26, abs=0.08)
    assert np.mean([b["benign"] for b in breasts]) == pytest.approx(0.26, abs=0.08)
    none = PhantomConfig.small(malignant_prevalence=0, benign_prevalence=0)
    assert not any(lesions for i in range(5) for lesions in generate_exam(none, i, 0).lesions.values())
    both = PhantomConfig.small(malignant_prevalence=1, benign_prevalence=0, second_lesion=1)
    assert generate_exam(both, 0, 0).labels == {s: {"benign": 1, "malignant": 1} for s in "LR"}


def blurred(sigma: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: cv2.GaussianBlur(x, (0, 0), sigma)


def threshold_scores(pixels: np.ndarray) -> dict[str, float]:
    """What looking at grey levels alone can say about an image; the outline of the breast is left out."""
    image = pixels.astype(np.float32)
    breast = image > 0
    inner = cv2.erode(breast.astype(np.uint8), np.ones((9, 9)), borderValue=1) > 0
    inside = {s: blurred(s)(image) / np.maximum(blurred(s)(breast.astype(np.float32)), 1e-3) for s in (1, 2, 4, 8, 16)}
    values = image[breast]
    scores = {"mean": values.mean(), "spread": values.std()}
    scores |= {f"percentile {q}": np.percentile(values, q) for q in (90, 99, 99.9, 100)}
    scores |= {f"local mean {s}": inside[s][inner].max() for s in (2, 4, 8, 16)}
    scores |= {f"high pass {s}": (image - inside[s])[inner].max() for s in (1, 2, 4)}
    scores["fine detail"] = np.percentile((image - inside[1])[inner], 99.9)
    scores |= {f"band {a}-{b}": (inside[a] - inside[b])[inner].max() for a, b in ((1, 4), (2, 8), (4, 16), (8, 16))}
    return {name: float(score) for name, score in scores.items()}


@pytest.mark.slow
def test_no_threshold_finds_the_lesions(exams: list[PhantomExam]) -> None:
    images = [(exam.labels[i.laterality], threshold_scores(i.pixels)) for exam in exams for i in exam.images.values()]
    for label in ("benign", "malignant"):
        chosen = [(y[label], s) for y, s in images if y[label] or not any(y.values())]
        truth = [y for y, _ in chosen]
        aucs = {name: roc_auc_score(truth, [s[name] for _, s in chosen]) for name in images[0][1]}
        # A threshold may point either way.
        worst = {name: max(auc, 1 - auc) for name, auc in aucs.items()}
        # A filter for fine bright lines finds the spicules of malignant masses; it is no threshold on grey levels.
        assert worst.pop("fine detail") < 0.85, (label, aucs)
        assert max(worst.values()) < 0.68, (label, aucs)


@pytest.mark.parametrize(
    ("rows", "columns", "pixel_mm"), [(208, 160, 1.12), (368, 240, 0.56), (1664, 1280, 0.14), (3328, 2560, 0.07)]
)
def test_any_size(rows: int, columns: int, pixel_mm: float) -> None:
    config = PhantomConfig(rows=rows, columns=columns, pixel_mm=pixel_mm, malignant_prevalence=1, benign_prevalence=0)
    exam = generate_exam(config, 0, 5)
    for image in exam.images.values():
        assert image.pixels.shape == (rows, columns)
        assert image.malignant_mask.any()
        assert 0.05 < (image.pixels > 0).mean() < 0.9
