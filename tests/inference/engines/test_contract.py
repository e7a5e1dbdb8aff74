"""What every engine promises, also one of others: probabilities of the right shapes, the same ones from any thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg import plugins
from mammoseg.data.manifest import Manifest
from mammoseg.inference.augment import Displaced
from mammoseg.inference.engine import Engine, Inputs, Outputs
from mammoseg.inference.ensemble import Ensemble
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.io.runs import load_prediction, predicted_ids
from mammoseg.nn.checkpoint import CheckpointError

TOY = "my_lab.engines.toy"


@pytest.fixture(params=[*plugins.names(plugins.ENGINES), TOY, "ensemble", "displaced"])
def engine(
    request: pytest.FixtureRequest,
    trained_run: Path,
    tiny_gmic: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Engine:
    """Every plug-in, and the engines around engines."""
    monkeypatch.chdir(Path(__file__).parents[2] / "plugins")
    (tmp_path / "bright.txt").write_text("1.0")
    if request.param == "ensemble":
        return open_predictor([trained_run, tiny_gmic(1)], "cpu").engine
    if request.param == "displaced":
        return open_predictor(trained_run, "cpu", displaced=2).engine
    return open_predictor(
        tmp_path / "bright.txt" if request.param == TOY else trained_run, "cpu", engine=request.param
    ).engine


def inputs(engine: Engine, seed: int = 0, count: int = 2) -> Inputs:
    shape = (count, engine.sees.channels, *engine.prep.window)
    windows = [
        np.random.default_rng(seed + n).normal(size=shape).astype(np.float32) for n in range(1 + engine.displaced)
    ]
    return Inputs(windows[0], None, windows[1:])


def same(a: Outputs, b: Outputs) -> bool:
    return np.array_equal(a.y_BK, b.y_BK) and all(
        np.array_equal(values, b.maps[name]) for name, values in a.maps.items()
    )


def test_what_it_says_of_itself(engine: Engine) -> None:
    assert engine.description() == engine.description()
    assert {"model", "checkpoint_sha256", "network", "prep"} <= engine.description().keys()
    assert engine.classes
    assert engine.at_once >= 1


def test_outputs(engine: Engine) -> None:
    out, K = engine(inputs(engine)), len(engine.classes)
    assert out.y_BK.shape == (2, K)
    assert "saliency" in out.maps
    assert all(values.shape[:2] == (2, K) and values.ndim == 4 for values in out.maps.values())
    for values in (out.y_BK, *out.maps.values(), *out.parts.values()):
        assert ((values >= 0) & (values <= 1)).all()
    if out.patches is not None:
        assert out.patches.y_BPK.shape == (*out.patches.corners_BP2.shape[:2], K)


def test_scores_are_those_of_the_whole(engine: Engine) -> None:
    if not engine.displaced:
        np.testing.assert_allclose(engine.scores(inputs(engine)), engine(inputs(engine)).y_BK, atol=1e-6)


def test_threads_do_not_disturb_each_other(engine: Engine) -> None:
    """In threads that begin as those of a run do; a single image each time."""
    with ThreadPoolExecutor(1, initializer=engine.enter_thread) as alone:
        expected = [alone.submit(engine, inputs(engine, seed, 1)).result() for seed in range(4)]
    with ThreadPoolExecutor(4, initializer=engine.enter_thread) as pool:
        found = list(pool.map(lambda seed: engine(inputs(engine, seed, 1)), [0, 1, 2, 3] * 2))
    assert all(same(out, expected[number % 4]) for number, out in enumerate(found))


def test_engines_around_an_engine(engine: Engine) -> None:
    """Ten times the same one is no ensemble; with displaced windows the mean counts, and the maps stay."""
    if engine.displaced or isinstance(engine, Ensemble):
        return
    given = inputs(engine)
    moved = [np.roll(given.image_BCHW, shift, axis=2) for shift in (1, 3)]
    out = Displaced(engine, 2)(given._replace(displaced=moved))
    each = [engine.scores(Inputs(image)) for image in moved]
    np.testing.assert_allclose(out.y_BK, np.mean(each, axis=0), atol=1e-6)
    np.testing.assert_array_equal(out.maps["saliency"], engine(given).maps["saliency"])


@pytest.mark.slow
def test_one_of_others_predicts_through_the_command(
    phantom_study: Manifest, tmp_path: Path, mammoseg: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found and run without an edit inside mammoseg."""
    monkeypatch.chdir(Path(__file__).parents[2] / "plugins")
    (tmp_path / "bright.txt").write_text("2.0")
    table = ("--manifest", phantom_study.path, "--split", "val")
    options = ("--engine", TOY, "--checkpoint", tmp_path / "bright.txt", "--out", tmp_path / "out")
    done = mammoseg("predict", *options, *table)
    assert done.code == 0, done.err
    rows = list(phantom_study.subset("val").rows())
    assert predicted_ids(tmp_path / "out") == sorted(row.image_id for row in rows)
    found = load_prediction(tmp_path / "out", rows[0].image_id)
    alone = Predictor(open_predictor(tmp_path / "bright.txt", engine=TOY).engine).predict(rows[0])
    assert dict(found.scores) == dict(alone.scores)
    assert list(found.scores) == ["malignant"]
    assert len(list((tmp_path / "out" / "overlays").iterdir())) == len(rows)
    none = mammoseg("predict", "--engine", "my_lab.engines.none", *options[2:], *table)
    assert none.code == 2
    none.says("my_lab.engines.none", "PYTHONPATH")


def test_several_checkpoints_of_one_of_others_are_an_ensemble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members are told apart by all that they say of themselves, not by weights that they may not have."""
    monkeypatch.chdir(Path(__file__).parents[2] / "plugins")
    files = [tmp_path / "low.txt", tmp_path / "high.txt"]
    for file, above in zip(files, ("0.5", "1.5"), strict=True):
        file.write_text(above)
    both = open_predictor(files, engine=TOY).engine
    each = [open_predictor(file, engine=TOY).engine for file in files]
    np.testing.assert_allclose(both(inputs(both)).y_BK, np.mean([one(inputs(one)).y_BK for one in each], axis=0))
    assert {"model", "checkpoint_sha256", "network", "prep"} <= both.description().keys()
    files[1].write_text("2.5")
    assert both.description() != open_predictor(files, engine=TOY).engine.description()
    with pytest.raises(CheckpointError, match="given twice"):
        open_predictor([files[0], files[0]], engine=TOY)
