"""What a phantom exam is made of, and the film it may be on, field by field, with the source of each number."""

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from mammoseg.config import Config

Range = tuple[float, float]


class FilmConfig(Config):
    """Film, screen and digitiser. Lengths are millimetres, densities optical densities."""

    base_density: float = Field(0.2, ge=0, le=0.5)
    """Of an unexposed, developed film: base and fog."""
    most_density: float = Field(3.6, ge=2.5, le=5)
    """Of the blackest film. The step wedge with which digitisers of DDSM were calibrated goes from 0.04 to 3.60."""
    gradient: Range = (3.0, 3.8)
    """Average gradient between 0.25 and 2.00 above base, uniform. 3.77 for Kodak Min-R 2000, 4.38 for Fuji AD-M, a quarter more
    than for Fuji UM-MA HC (Meeson et al., Br J Radiol 74, 825, 2001); older films have about 3."""
    fat_density: Range = (1.4, 1.8)
    """Density of fat in the middle of a breast, uniform. Own choice, by the grey levels of real films."""
    contrast: float = Field(1.3, gt=0, le=10)
    """By how much log10 of the exposure falls where the grey level rises by 1. Own choice, by the grey levels of real films."""
    fat: float = Field(0.12, ge=0)
    """Attenuation of fat that grey levels leave out: with it fat (0.20) has 0.56 of gland's (0.45), as at 20 keV (0.456 and 0.802
    per cm; Johns & Yaffe, Phys Med Biol 1987)."""
    quanta_mm2: float = Field(5e5, gt=0)
    """X-ray quanta that the screen absorbs behind fat, per square millimetre: those of some 10 mR. Own choice."""
    blur_mm: float = Field(0.1, ge=0)
    """Deviation of the Gaussian of focal spot, screen and resampling together (MTF 0.5 at 1.9 cycles/mm). Own choice, by the fine
    noise of real films of 0.2 to 0.3 mm a pixel; a screen alone is sharper."""
    grain_mm2: float = Field(1e-6, ge=0)
    """Variance of a density of 1, times area. Own choice, by the fine noise of real films."""
    reader_density: float = Field(3.2, gt=1)
    """Density that the digitiser reads as 0. Pixels are linear in density up to there, as those of MIAS (Suckling et al. 1994)."""
    reader_noise: float = Field(0.001, ge=0)
    """Standard deviation of the digitiser's noise, share of the range of pixels. Own choice."""
    rim_mm: Range = (-2.0, 3.0)
    """Width of the unexposed rim at each edge but the chest wall, uniform; below 0, there is none. Own choice."""
    beside_share: float = Field(0.5, ge=0, le=1)
    """Share of views with a band of zeros beside the film, on the side of the nipple. Own choice."""
    plate_share: float = Field(0.3, ge=0, le=1)
    """Share of views with a white plate with figures. Own choice."""
    marker_mm: Range = (6.0, 10.0)
    """Height of the lead letters that say side and view. Own choice."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in ("gradient", "fat_density", "rim_mm", "marker_mm"):
            low, high = getattr(self, name)
            if low > high or (low <= 0 and name != "rim_mm"):
                raise ValueError(f"{name} is ({low}, {high}); expected low <= high, above 0")
        if not self.base_density < self.fat_density[0] <= self.fat_density[1] < self.most_density:
            raise ValueError(f"fat_density is {self.fat_density}; expected it between base_density and most_density")
        return self


class PhantomConfig(Config):
    """A family of synthetic screening exams. The defaults are full-field images; `small()` fits a laptop.

    Lengths are millimetres, grey levels are fractions of the 12-bit range (1.0 = 4095). "Own choice" marks numbers that
    come from no publication: they were set by eye against real mammograms and by how well a small network does.
    """

    rows: int = Field(3328, ge=64, le=3328)
    """Image height in pixels (3328 x 2560 at 0.07 mm: a common full-field detector of 24 x 30 cm class)."""
    columns: int = Field(2560, ge=64, le=2560)
    """Image width in pixels."""
    pixel_mm: float = Field(0.07, gt=0)
    """Side of a pixel."""

    density_share: tuple[float, float, float, float] = (0.10, 0.40, 0.40, 0.10)
    """Shares of BI-RADS densities a, b, c, d. About 10/40/40/10 % in US screening (ACR BI-RADS Atlas 2013; Sprague et
    al., JNCI 2014, report 43 % dense among women of 40-74)."""
    beta: float = Field(3.0, gt=1.5, lt=4.5)
    """Exponent of the parenchyma's power spectrum, 1/f^beta: about 3 on average in mammograms (Burgess et al., Med Phys
    2001; Metheany et al., Med Phys 2008)."""
    breast_depth_mm: Range = (65.0, 115.0)
    """Chest wall to nipple, uniform. Own choice; larger breasts are scaled to fit the field."""
    mlo_angle_deg: Range = (40.0, 55.0)
    """Angle between the MLO and the CC projection, uniform (30-60 degrees in positioning manuals, mostly near 45)."""

    malignant_prevalence: float = Field(0.25, ge=0, le=1)
    """Share of breasts with a malignant lesion. Enriched: screening finds about 5 cancers in 1,000 exams (Lehman et
    al., Radiology 2017)."""
    benign_prevalence: float = Field(0.25, ge=0, le=1)
    """Share of breasts with a benign lesion and no malignant one. Enriched."""
    second_lesion: float = Field(0.05, ge=0, le=1)
    """Share of the affected breasts that get a lesion of the other class too. Own choice."""
    cluster_share: float = Field(0.15, ge=0, le=1)
    """Share of lesions that are calcification clusters, the others are masses. Own choice (calcifications alone are
    roughly a third of screen-detected cancers, which small pixels cannot show well)."""

    lesion_radius_mm: Range = (3.0, 10.0)
    """Limits of the lesion radius (half of the mean diameter of a mass without its spicules, radius of a cluster)."""
    lesion_radius_median_mm: float = Field(6.0, gt=0)
    """Median radius; log-normal with sigma 0.35, cut at the limits. Screen-detected invasive cancers have a median
    diameter around 12-15 mm; radius 6 mm is in that range, the shape of the distribution is our own choice."""
    mass_contrast: float = Field(0.25, ge=0, le=1)
    """Median added grey level in the middle of a benign mass; own choice, of the size of the step from fat to gland (0.25)."""
    malignant_contrast: float = Field(1.2, gt=0)
    """Median contrast of malignant masses over that of benign ones. High-density masses are far more often malignant
    (Woods et al., Radiology 2011); the number is our own choice."""
    speck_contrast: float = Field(0.45, ge=0, le=1)
    """Median added grey level of a calcification as wide as a pixel or wider; own choice."""
    contrast_spread: float = Field(0.35, ge=0)
    """Sigma of the log-normal contrasts. Own choice."""
    subtle_share: float = Field(0.12, ge=0, le=1)
    """Share of lesions whose contrast is cut by a uniform factor of 0 to 0.4, down to invisible: lesions that are there
    but hidden, as dense tissue masks cancers (Boyd et al., NEJM 2007). The number is our own choice; with `ambiguity`
    it sets the AUC that no model can pass."""
    speck_radius_mm: Range = (0.1, 0.4)
    """Radius of one calcification: malignant ones are mostly below 0.5 mm across, benign ones often larger (BI-RADS
    Atlas 2013)."""
    ambiguity: float = Field(0.05, ge=0, le=0.5)
    """Share of lesions that take the margins or the speck shapes typical of the other class. Circumscribed cancers and
    spiculated benign changes exist (BI-RADS margins are probabilistic); the number is our own choice."""
    ill_defined_share: float = Field(0.0, ge=0, le=1)
    """Share of masses whose margin fades into the tissue over most of their radius, as indistinct margins do (BI-RADS Atlas 2013),
    instead of over a small part of it; the exams are the same otherwise. Own choice."""

    decoy_share: float = Field(1.0, ge=0, le=1)
    """Share of the views without a mass that have an overlapping-tissue density with soft margins in its place, so that a
    bright spot alone is no sign. Own choice."""
    density_blobs: float = Field(0.4, ge=0)
    """Mean number per view of further such densities, each seen in that view only. Own choice."""
    vessels: float = Field(3.0, ge=0)
    """Mean number per view of linear structures (vessels, ducts). Own choice."""
    isolated_calcifications: float = Field(3.0, ge=0)
    """Mean number per breast of single benign calcifications, in both views: none in many breasts, a dozen in some
    (gamma-Poisson with shape 0.7). Own choice."""

    exposure_jitter: float = Field(0.08, ge=0, lt=0.5)
    """Relative spread of brightness between exams and views. Own choice."""
    noise: float = Field(0.012, ge=0)
    """Standard deviation of the white detector noise for pixels of 0.1 mm; falls as 1/pixel size. Not on films. Own choice."""
    look: Literal["digital", "film"] = "digital"
    """`digital`: exactly 0 beside the breast. `film`: the same breasts on digitised films, with rims, letters and a background."""
    film: FilmConfig = FilmConfig()
    """How, for `look` = `film`."""

    @classmethod
    def small(cls, **changes: object) -> Self:
        """416 x 320 pixels of 0.56 mm, the same field of view as the default, for training on a laptop in minutes.

        Easier than the default: the smallest lesions are left out (radius 4.5-11 mm is 8-20 pixels, median 7.5 mm), masses
        are denser and less often subtle, some of the decoys are missing, and calcifications are larger than life
        (0.3-0.6 mm), because a pixel of 0.56 mm could not show them.
        """
        values: dict[str, object] = {
            "rows": 416,
            "columns": 320,
            "pixel_mm": 0.56,
            "lesion_radius_mm": (4.5, 11.0),
            "lesion_radius_median_mm": 7.5,
            "speck_radius_mm": (0.3, 0.6),
            "malignant_prevalence": 0.22,
            "benign_prevalence": 0.22,
            "cluster_share": 0.12,
            "mass_contrast": 0.33,
            "subtle_share": 0.1,
            "malignant_contrast": 1.15,
            "contrast_spread": 0.3,
            "decoy_share": 0.6,
            "vessels": 2.0,
        }
        return cls.model_validate(values | changes)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in ("breast_depth_mm", "mlo_angle_deg", "lesion_radius_mm", "speck_radius_mm"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name} is ({low}, {high}); expected 0 < low <= high")
        if min(self.density_share) < 0 or abs(sum(self.density_share) - 1) > 1e-6:
            raise ValueError(f"density_share is {self.density_share}; expected four shares that sum to 1")
        if self.malignant_prevalence + self.benign_prevalence > 1:
            raise ValueError("malignant_prevalence + benign_prevalence exceeds 1; a breast is in one group only")
        if min(self.rows, self.columns) * self.pixel_mm < 6 * self.lesion_radius_mm[1]:
            raise ValueError(
                f"the field is {self.rows * self.pixel_mm:.0f} x {self.columns * self.pixel_mm:.0f} mm; expected at "
                f"least six times the largest lesion radius ({self.lesion_radius_mm[1]} mm): enlarge pixel_mm"
            )
        return self

    def sample_radius(self, rng: np.random.Generator) -> float:
        """A lesion radius in mm: log-normal, cut at the limits."""
        return float(np.clip(self.lesion_radius_median_mm * np.exp(rng.normal(0, 0.35)), *self.lesion_radius_mm))

    def mass_median(self, label: str) -> float:
        """Median contrast of the masses of a class."""
        return self.mass_contrast * (self.malignant_contrast if label == "malignant" else 1.0)

    def sample_contrast(self, median: float, rng: np.random.Generator) -> float:
        """A contrast around `median`: log-normal, at most half of the range of grey levels."""
        return float(min(0.5, median * np.exp(rng.normal(0, self.contrast_spread))))
