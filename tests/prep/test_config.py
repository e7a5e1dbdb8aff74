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


def test_windows_by_view() -> None:
    cfg = PrepConfig(windows={"CC": (2677, 1942), "MLO": (2974, 1748)})
    assert [cfg.window_of(view) for view in ("CC", "XCCL", "ML")] == [(2677, 1942), (2677, 1942), (2974, 1748)]
    assert cfg.canvas == (2974, 1942)
    assert cfg.shown == "2677 x 1942 (CC) or 2974 x 1748 (MLO)"
    assert PrepConfig.model_validate(cfg.model_dump(mode="json")) == cfg
    changed = with_overrides(PrepConfig(), sets=["windows={CC: [90, 60], MLO: [96, 50]}"])
    assert changed.shapes == ((90, 60), (96, 50))


def test_a_preparation_with_one_window_is_stored_as_it_always_was() -> None:
    assert "windows" not in PrepConfig().model_dump(mode="json")
    assert PrepConfig().canvas == PrepConfig().window_of("CC") == (2944, 1920)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"windows": {"CC": (9, 9)}}, "of each one; got CC"),
        ({"windows": {"CC": (9, 9), "MLO": (9, 9)}, "window": (9, 9)}, "both given"),
        ({"windows": {"LAT": (9, 9)}}, "LAT"),
    ],
)
def test_windows_that_do_not_say_what_is_seen(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse(PrepConfig, wrong, "prep")
