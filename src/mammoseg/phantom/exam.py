"""A whole screening exam: CC and MLO of both breasts, with their lesions and exact masks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mammoseg.phantom.breast import DENSITIES, BreastShape, Projection, View, project, sample_shape
from mammoseg.phantom.canvas import Canvas
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.distractors import add_blobs, add_vessels, isolated_specks
from mammoseg.phantom.film import develop
from mammoseg.phantom.lesions import Lesion, sample_specks
from mammoseg.phantom.placement import sample_place
from mammoseg.records.image import Laterality
from mammoseg.records.label import CLASSES

VIEWS: tuple[View, View] = ("CC", "MLO")
SIDES: tuple[Laterality, Laterality] = ("L", "R")


@dataclass(frozen=True)
class PhantomImage:
    """One view. Left breasts have the chest wall at the left border, right breasts at the right border."""

    pixels: NDArray[np.uint16]
    """(H, W), 0 outside the breast, 1 to 4095 inside; of a film 0 to 4095 everywhere."""
    benign_mask: NDArray[np.bool_]
    """(H, W), the benign lesions: masses without spicules, clusters as the region that holds the calcifications."""
    malignant_mask: NDArray[np.bool_]
    """(H, W), the malignant lesions, likewise."""
    laterality: Laterality
    view: View


@dataclass(frozen=True)
class PhantomExam:
    """Four views of one imagined woman."""

    images: Mapping[str, PhantomImage]
    """By name, in this order: L-CC, R-CC, L-MLO, R-MLO."""
    density: str
    """BI-RADS density a, b, c or d, the same for both breasts."""
    lesions: Mapping[str, tuple[Lesion, ...]]
    """Side (L, R) -> its lesions."""

    @property
    def labels(self) -> dict[str, dict[str, int]]:
        """Side (L, R) -> class (benign, malignant) -> 1 if the breast has such a lesion, else 0."""
        return {
            side: {label: int(any(x.label == label for x in found)) for label in CLASSES}
            for side, found in self.lesions.items()
        }


def generate_exam(config: PhantomConfig, index: int, seed: int) -> PhantomExam:
    """Exam number `index` of the series `seed`: the same on every call, whatever was generated before.

    Raises ValueError for a negative index or seed.
    """
    if index < 0 or seed < 0:
        raise ValueError(f"generate_exam: index {index}, seed {seed}; expected both to be 0 or more")
    streams = np.random.SeedSequence([seed, index]).spawn(1 + len(SIDES))
    rng = np.random.default_rng(streams[0])
    density = int(rng.choice(len(DENSITIES), p=config.density_share))
    shape = sample_shape(config, density, rng)
    exposure = float(np.exp(rng.normal(0, config.exposure_jitter)))
    images: dict[str, PhantomImage] = {}
    lesions: dict[str, tuple[Lesion, ...]] = {}
    for side, stream in zip(SIDES, streams[1:], strict=True):
        views, lesions[side] = _breast(config, shape, exposure, side, stream)
        images |= {f"{side}-{image.view}": image for image in views}
    order = [f"{side}-{view}" for view in VIEWS for side in SIDES]
    return PhantomExam({name: images[name] for name in order}, DENSITIES[density], lesions)


def _breast(
    config: PhantomConfig, shape: BreastShape, exposure: float, side: Laterality, stream: np.random.SeedSequence
) -> tuple[list[PhantomImage], tuple[Lesion, ...]]:
    """Both views of one breast. Each view has a generator of its own, what they share has another."""
    rng, *view_rngs, margins = (np.random.default_rng(s) for s in stream.spawn(2 + len(VIEWS)))
    views = {view: project(shape, view, config, own) for view, own in zip(VIEWS, view_rngs, strict=True)}
    sampled = [_sample_lesion(label, config, shape, views, rng) for label in _sample_labels(config, rng)]
    lesions = tuple(replace(x, ill_defined=bool(margins.uniform() < config.ill_defined_share)) for x in sampled)
    clusters = {lesion: sample_specks(lesion, config, rng) for lesion in lesions if lesion.kind == "cluster"}
    count = rng.poisson(config.isolated_calcifications * rng.gamma(0.7, 1 / 0.7))
    places = [sample_place(shape, views, 0.0, config, rng) for _ in range(count)]
    single = isolated_specks(places, config, rng)
    images = []
    for (view, drawn), own in zip(views.items(), view_rngs, strict=True):
        canvas = Canvas(view, drawn, shape, config, own)
        add_blobs(drawn, sum(lesion.kind == "mass" for lesion in lesions), shape, config, own)
        add_vessels(drawn, shape, config, own)
        for speck in single:
            canvas.add_speck(speck)
        for lesion in lesions:
            if lesion.kind == "mass":
                canvas.add_mass(lesion)
            else:
                canvas.add_cluster(lesion.label, clusters[lesion])
        gain = exposure * float(np.exp(own.normal(0, config.exposure_jitter / 2)))
        benign, malignant = (canvas.masks[label] & drawn.mask for label in CLASSES)
        pixels = (
            canvas.digitize(gain) if config.look == "digital" else develop(drawn, gain, f"{side}{view}", config, own)
        )
        images.append(_facing(PhantomImage(pixels, benign, malignant, side, view)))
    return images, lesions


def _facing(image: PhantomImage) -> PhantomImage:
    """An image drawn pointing right, turned to the usual direction of its side."""
    if image.laterality == "L":
        return image
    return PhantomImage(
        np.ascontiguousarray(image.pixels[:, ::-1]),
        np.ascontiguousarray(image.benign_mask[:, ::-1]),
        np.ascontiguousarray(image.malignant_mask[:, ::-1]),
        image.laterality,
        image.view,
    )


def _sample_labels(config: PhantomConfig, rng: np.random.Generator) -> list[str]:
    """The classes of a breast's lesions, one lesion each."""
    group, second = rng.uniform(size=2)
    if group >= config.malignant_prevalence + config.benign_prevalence:
        return []
    labels = ["malignant", "benign"] if group < config.malignant_prevalence else ["benign", "malignant"]
    return labels if second < config.second_lesion else labels[:1]


def _sample_lesion(
    label: str, config: PhantomConfig, shape: BreastShape, views: Mapping[View, Projection], rng: np.random.Generator
) -> Lesion:
    """Kind and size have the same distributions for both classes; margins, specks and contrast tell them apart."""
    mass = rng.uniform() >= config.cluster_share
    radius = config.sample_radius(rng)
    contrast = config.sample_contrast(config.mass_median(label) if mass else config.speck_contrast, rng)
    if rng.uniform() < config.subtle_share:
        contrast *= rng.uniform(0, 0.4)
    place = sample_place(shape, views, radius, config, rng)
    typical = bool(rng.uniform() >= config.ambiguity)
    return Lesion("mass" if mass else "cluster", label, place, radius, contrast, typical)
