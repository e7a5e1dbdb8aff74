"""Defaults are those of the published pipeline; impossible values are refused."""

from typing import Any

import pytest

from mammoseg.config import ConfigError, parse, to_yaml, with_overrides
from mammoseg.prep.config import PrepConfig


def test_defaults() -> None:
    cfg = PrepConfig()
    assert cfg.window == (2944, 1920)
    assert (cfg.fit, cfg.intensity) == ("cut", "standardize")
    assert (cfg.pixel_mm, cfg.background, cfg.opening_px, cfg.buffer_px, cfg.ignore_top) == (
        None,
        "zero",
        100,
        50,
        1 / 3,
    )


def test_yaml_there_and_back(tmp_path: Any) -> None:
    cfg = PrepConfig(window=(736, 480), pixel_mm=0.4, background="film", opening_px=18, fit="resize", intensity="unit")
    (tmp_path / "a.yaml").write_text(to_yaml(cfg))
    assert with_overrides(PrepConfig(), file=tmp_path / "a.yaml") == cfg


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": (0, 100)},
        {"window": (100,)},
        {"pixel_mm": 0},
        {"pixel_mm": -0.1},
        {"background": "grey"},
        {"fit": "stretch"},
        {"intensity": "none"},
        {"opening_px": -1},
        {"buffer_px": -1},
        {"ignore_top": 1.0},
        {"unknown": 1},
    ],
)
def test_impossible_values(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        parse(PrepConfig, wrong, "prep")
