import pytest
from pydantic import ValidationError

from mammoseg.config import parse
from mammoseg.phantom.config import PhantomConfig


def test_small_shows_the_same_field_with_fewer_pixels() -> None:
    full, small = PhantomConfig(), PhantomConfig.small()
    assert small.rows * small.pixel_mm == pytest.approx(full.rows * full.pixel_mm)
    assert small.columns * small.pixel_mm == pytest.approx(full.columns * full.pixel_mm)
    assert small.lesion_radius_mm[0] / small.pixel_mm >= 5


def test_small_takes_changes_and_survives_json() -> None:
    small = PhantomConfig.small(vessels=0, malignant_prevalence=0.1)
    assert (small.vessels, small.malignant_prevalence, small.rows) == (0, 0.1, 416)
    assert parse(PhantomConfig, small.model_dump(mode="json"), "test") == small


@pytest.mark.parametrize(
    "changes",
    [
        {"lesion_radius_mm": (5.0, 3.0)},
        {"breast_depth_mm": (0.0, 3.0)},
        {"density_share": (0.5, 0.5, 0.5, 0.5)},
        {"density_share": (1.5, -0.5, 0.0, 0.0)},
        {"malignant_prevalence": 0.7, "benign_prevalence": 0.7},
        {"rows": 64, "columns": 64},
        {"rows": 5000},
        {"no_such_field": 1},
    ],
)
def test_impossible_values_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PhantomConfig.small(**changes)
