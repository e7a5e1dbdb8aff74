"""Heatmaps are the published walk, patch by patch, on the pixels of the file; a run continues, and other models take them."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mammoseg.config import parse
from mammoseg.data.load import load_crop
from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.inference.engines.pytorch import open_engine
from mammoseg.inference.heatmaps import HeatmapsError, Walk, write_heatmaps
from mammoseg.models import build_model
from mammoseg.models.patch_densenet import TINY
from mammoseg.nn.checkpoint import save_checkpoint
from mammoseg.prep.breast import PrepError
from mammoseg.prep.config import PrepConfig

PREP = {"window": (96, 64), "pixel_mm": None, "opening_px": 3, "buffer_px": 2}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("patches") / "checkpoint"
    prep = parse(PrepConfig, PREP, "here").model_dump(mode="json")
    return save_checkpoint(
        folder, "patch_densenet", build_model("patch_densenet", TINY), TINY.model_dump(mode="json"), prep, {}
    )


@pytest.fixture(scope="module")
def few(phantom_study: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    path = tmp_path_factory.mktemp("few") / "manifest.csv"
    Manifest(phantom_study.table.iloc[:4].copy(), phantom_study.path).to_csv(path)
    return load_manifest(path)


def published_positions(length: int, patch: int, stride: int, draws: random.Random) -> list[int]:
    """As the description of the software has it, with its own names."""
    q, r = (length - patch) // stride + 1, (length - patch) % stride
    if r == 0:
        return [k * stride for k in range(q)]
    overlap = stride - r
    base = stride - overlap // q
    strides = [base] * q
    for k in draws.sample(range(q), overlap % q):
        strides[k] = base - 1
    assert sum(strides) == length - patch
    return [sum(strides[:k]) for k in range(q + 1)]


def test_the_walk_is_that_of_the_published_software() -> None:
    walk, draws = Walk(256, 70), random.Random(0)
    for shape in ((2944, 1920), (256, 326), (3001, 1777), (257, 2000)):
        expected = tuple(published_positions(side, 256, 70, draws) for side in shape)
        assert walk.over(shape) == expected
    with pytest.raises(PrepError, match="at least a patch of 256"):
        walk.over((255, 400))


def test_heatmaps_are_means_of_patches_on_the_pixels_of_the_file(
    classifier: Path, few: Manifest, tmp_path: Path
) -> None:
    engine = open_engine(classifier, "cpu")
    made = write_heatmaps(engine, few, tmp_path / "out")
    assert (made.made, made.failed) == (4, 0)
    draws, s = random.Random(0), TINY.patch_px
    for row in few.rows():
        image, crop = load_crop(row, engine.prep, ())
        pixels = crop.pixels.astype(np.float64)
        normal = ((pixels - pixels.mean()) / pixels.std()).astype(np.float32)
        rows, cols = (published_positions(side, s, TINY.stride_px, draws) for side in pixels.shape)
        sums, counts = np.zeros((2, *pixels.shape)), np.zeros(pixels.shape)
        for c in cols:
            for r in rows:
                with torch.inference_mode():
                    patch = torch.from_numpy(normal[r : r + s, c : c + s].copy())[None, None]
                    logits = engine.model.logits(patch)[0]  # type: ignore[operator]
                p = torch.softmax(logits, -1).numpy()
                sums[:, r : r + s, c : c + s] += p[[1, 0], None, None]
                counts[r : r + s, c : c + s] += 1
        assert counts.min() >= 1
        top, bottom, left, right = crop.window
        for k, name in enumerate(("benign", "malignant")):
            found = cv2.imread(str(tmp_path / "out" / name / f"{row.image_id}.png"), cv2.IMREAD_UNCHANGED)
            assert found.shape == image.pixels.shape
            assert found.dtype == np.uint16
            expected = (sums[k] / counts)[:, ::-1] if crop.flipped else sums[k] / counts
            np.testing.assert_allclose(found[top:bottom, left:right] / 65535, expected, atol=2e-5)
            found[top:bottom, left:right] = 0
            assert not found.any(), "nothing beside the breast"


def test_a_stopped_run_goes_on_as_if_it_had_not_been(classifier: Path, few: Manifest, tmp_path: Path) -> None:
    engine = open_engine(classifier, "cpu")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    write_heatmaps(engine, few, whole)

    def stop(count: list[int]) -> Callable[[], None]:
        def progress() -> None:
            count.append(1)
            if len(count) == 2:
                raise KeyboardInterrupt

        return progress

    with pytest.raises(KeyboardInterrupt):
        write_heatmaps(engine, few, parts, stop([]))
    assert not (parts / "manifest.csv").exists()
    made = write_heatmaps(engine, few, parts)
    assert (made.made, made.done_before) == (2, 2)
    lost = next(parts.glob("malignant/*.png"))
    lost.unlink()
    again = write_heatmaps(engine, few, parts)
    assert (again.made, again.done_before) == (1, 3), "what was lost is made again"
    for file in sorted(whole.rglob("*.png")):
        assert file.read_bytes() == (parts / file.relative_to(whole)).read_bytes()


def test_other_models_take_them_and_what_fails_is_noted(
    classifier: Path, few: Manifest, tmp_path: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = few.table.copy()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    table.loc[table.index[1], "path"] = str(broken)
    given = tmp_path / "given.csv"
    Manifest(table, given).to_csv(given)
    out = tmp_path / "out"
    done = command("heatmaps", "--checkpoint", classifier, "--manifest", given, "--out", "out", "--device", "cpu")
    assert done.code == 3, done.err
    assert "3 images made, 0 done before, 1 failed" in done.out
    rows = list(load_manifest(out / "manifest.csv").rows())
    assert [len(row.heatmaps) for row in rows] == [2, 0, 2, 2]
    image, crop = load_crop(rows[0], open_engine(classifier, "cpu").prep, ("benign", "malignant"))
    assert image.heatmaps is not None
    assert crop.heatmaps is not None
    assert crop.heatmaps.any()


def test_mistakes_are_told(classifier: Path, few: Manifest, tmp_path: Path, tiny_gmic: Callable[..., Path]) -> None:
    with pytest.raises(HeatmapsError, match="classifies no patches"):
        write_heatmaps(open_engine(tiny_gmic(0), "cpu"), few, tmp_path / "out")
    out = tmp_path / "used"
    out.mkdir()
    (out / "run.json").write_text(json.dumps({"checkpoint_sha256": "other"}))
    with pytest.raises(HeatmapsError, match="of another checkpoint"):
        write_heatmaps(open_engine(classifier, "cpu"), few, out)


def test_of_another_image_or_row_they_are_made_again(classifier: Path, few: Manifest, tmp_path: Path) -> None:
    engine = open_engine(classifier, "cpu")
    table = few.table.copy()
    first = next(iter(few.rows()))
    own = tmp_path / "own.png"
    own.write_bytes(first.path.read_bytes())
    table["path"] = [str(row.path) for row in few.rows()]
    table.loc[table.index[0], "path"] = str(own)
    manifest = Manifest(table, tmp_path / "manifest.csv")
    out = tmp_path / "out"
    assert write_heatmaps(engine, manifest, out).made == 4
    assert write_heatmaps(engine, manifest, out).done_before == 4
    pixels = cv2.imread(str(own), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(own), np.where(pixels > 0, pixels // 2 + 1, 0).astype(pixels.dtype))
    again = write_heatmaps(engine, manifest, out)
    assert (again.made, again.done_before) == (1, 3), "the pixels are others"
    table["pixel_mm"] = 0.3
    assert write_heatmaps(engine, Manifest(table, manifest.path), out).made == 4


def test_failures_are_those_of_the_table(classifier: Path, few: Manifest, tmp_path: Path) -> None:
    engine, table = open_engine(classifier, "cpu"), few.table.copy()
    table["path"] = [str(row.path) for row in few.rows()]
    table.loc[table.index[0], "path"] = str(tmp_path / "lost.png")
    assert write_heatmaps(engine, Manifest(table, tmp_path / "manifest.csv"), tmp_path / "out").failed == 1
    rest = Manifest(table.iloc[1:].copy(), tmp_path / "manifest.csv")
    assert write_heatmaps(engine, rest, tmp_path / "out").failed == 0
