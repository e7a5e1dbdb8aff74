"""Names of files tell image and label, by a pattern."""

import pytest

from mammoseg.config import ConfigError, with_overrides
from mammoseg.ingest.annotation import AnnotationError
from mammoseg.ingest.annotation_names import NamedFiles


@pytest.mark.parametrize(
    ("pattern", "name", "told"),
    [
        ("{image}", "p1.L_CC", ("p1.L_CC", None)),
        ("{image}_{label}", "p1_L-CC_malignant", ("p1_L-CC", "malignant")),
        ("{image}-seg{*}", "p1-seg-2", ("p1", None)),
        ("{label} of {image}", "benign of p1", ("p1", "benign")),
        ("({image})+", "(p1)+", ("p1", None)),
    ],
)
def test_what_a_name_tells(pattern: str, name: str, told: tuple[str, str | None]) -> None:
    assert NamedFiles(pattern=pattern).told(name) == told


def test_a_name_that_is_built_in_another_way() -> None:
    with pytest.raises(AnnotationError, match="not built like"):
        NamedFiles(pattern="{image}_{label}").told("p1")


@pytest.mark.parametrize(
    "pattern", ["", "{label}", "{image}{image}", "{image}{x}", "{image}{*}{*}{*}", "{image}" + "x" * 300]
)
def test_no_pattern(pattern: str) -> None:
    with pytest.raises(ConfigError, match="image"):
        with_overrides(NamedFiles(), sets=[f"pattern='{pattern}'"])
