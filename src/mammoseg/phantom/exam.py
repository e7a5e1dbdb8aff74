"""A whole screening exam: CC and MLO of both breasts, with their lesions and exact masks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.phantom.breast import DENSITIES, BreastShape, Projection, View, height_mm, project, sample_shape
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.distractors import add_blobs, add_vessels, isolated_specks
from mammoseg.phantom.lesions import Drawn, Lesion, Speck, draw_mass, draw_speck, sample_specks
from mammoseg.phantom.texture import Array
from mammoseg.records.image import Laterality
from mammoseg.records.label import CLASSES

VIEWS: tuple[View, View] = ("CC", "MLO")
SIDES: tuple[Laterality, Laterality] = ("L", "R")


@dataclass(frozen=True)
class PhantomImage:
    """One view. Left breasts have the chest wall at the left border, right breasts at the right border."""

    pixels: NDArray[np.uint16]
    """(H, W), 0 outside the breast, 1 to 4095 inside."""
    benign_mask: NDArray[np.bool_]
    """(H, W), the benign lesions; a cluster is the region that holds its calcifications."""
    malignant_mask: NDArray[np.bool_]
    """(H, W), the malignant lesions, without spicules."""
    laterality: Laterality
    view: View


@dataclass(frozen=True)
class PhantomExam:
    """Four views of one imagined woman."""

    images: Mapping[str, PhantomImage]
    """By name: L-CC, R-CC, L-MLO, R-MLO."""
    density: str
    """BI-RADS density a, b, c or d, the same for both breasts."""
    labels: Mapping[str, Mapping[str, int]]
    """Side (L, R) -> class -> 1 if the breast has such a lesion."""
    lesions: Mapping[str, tuple[Lesion, ...]] = field(default_factory=dict)
    """Side -> its lesions."""


def generate_exam(config: PhantomConfig, index: int, seed: int) -> PhantomExam:
    """Exam number `index` of the series `seed`: the same on every call, whatever was generated before."""
    if index < 0 or seed < 0:
        raise ValueError(f"generate_exam: index {index}, seed {seed}; expected both to be 0 or more")
    streams = np.random.SeedSequence([seed, index]).spawn(1 + len(SIDES))
    rng = np.random.default_rng(streams[0])
    density = int(rng.choice(4, p=config.density_share))
    shape = sample_shape(config, density, rng)
    exposure = float(np.exp(rng.normal(0, config.exposure_jitter)))
    images: dict[str, PhantomImage] = {}
    lesions: dict[str, tuple[Lesion, ...]] = {}
    for side, stream in zip(SIDES, streams[1:], strict=True):
        views, lesions[side] = _breast(config, shape, exposure, side, stream)
        images.update(views)
    labels = {side: {c: int(any(x.label == c for x in found)) for c in CLASSES} for side, found in lesions.items()}
    order = [f"{side}-{view}" for view in VIEWS for side in SIDES]
    return PhantomExam({name: images[name] for name in order}, DENSITIES[density], labels, lesions)


def _breast(
    config: PhantomConfig, shape: BreastShape, exposure: float, side: Laterality, stream: np.random.SeedSequence
) -> tuple[dict[str, PhantomImage], tuple[Lesion, ...]]:
    rng, *view_rngs = (np.random.default_rng(s) for s in stream.spawn(1 + len(VIEWS)))
    views = {v: project(shape, v, config, r) for v, r in zip(VIEWS, view_rngs, strict=True)}
    lesions = tuple(_sample_lesion(label, config, shape, views, rng) for label in _sample_labels(config, rng))
    clusters = [sample_specks(x, config, rng) if x.kind == "cluster" else [] for x in lesions]
    single = isolated_specks(config, rng)
    places = [sample_place(shape, views, 3.0, config, rng) for _ in single]
    images = {}
    for (view, drawn), view_rng in zip(views.items(), view_rngs, strict=True):
        canvas = Canvas(view, drawn, shape, config, view_rng)
        add_blobs(drawn, config, view_rng)
        add_vessels(drawn, shape, config, view_rng)
        for speck, place in zip(single, places, strict=True):
            canvas.add_speck(place, speck)
        for lesion, specks in zip(lesions, clusters, strict=True):
            canvas.add_lesion(lesion, specks)
        images[f"{side}-{view}"] = canvas.finish(side, exposure)
    return images, lesions


def _sample_labels(config: PhantomConfig, rng: np.random.Generator) -> list[str]:
    group, other = rng.uniform(size=2)
    if group >= config.malignant_prevalence + config.benign_prevalence:
        return []
    first = "malignant" if group < config.malignant_prevalence else "benign"
    second = "benign" if first == "malignant" else "malignant"
    return [first, second] if other < config.second_lesion else [first]


def _sample_lesion(
    label: str, config: PhantomConfig, shape: BreastShape, views: Mapping[View, Projection], rng: np.random.Generator
) -> Lesion:
    kind = "cluster" if rng.uniform() < config.cluster_share else "mass"
    radius = float(np.clip(config.lesion_radius_median_mm * np.exp(rng.normal(0, 0.35)), *config.lesion_radius_mm))
    median = config.mass_contrast if kind == "mass" else config.speck_contrast
    contrast = float(min(0.5, median * np.exp(rng.normal(0, config.contrast_spread))))
    if rng.uniform() < config.subtle_share:
        contrast *= rng.uniform(0, 0.4)
    place = sample_place(shape, views, radius, config, rng)
    return Lesion(kind, label, *place, radius, contrast, bool(rng.uniform() >= config.ambiguity))
