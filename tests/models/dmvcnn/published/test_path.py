"""From a published file and images to the published table: `import-weights`, `predict` and `export` against a computation of its
own, which reads the tensors by their published names."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mammoseg.data.load import with_heatmaps
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.io.read import read_pixels
from mammoseg.models.dmvcnn.config import DmvCnnConfig
from mammoseg.models.dmvcnn.model import DmvCnn
from mammoseg.models.dmvcnn.published import PUBLISHED
from mammoseg.nn.checkpoint import open_checkpoint, save_checkpoint
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast
from mammoseg.published.file import PublishedFile

CLASSES = ("benign", "malignant")
WINDOWS: dict[Any, tuple[int, int]] = {"CC": (190, 130), "MLO": (204, 110)}
PREP = PrepConfig(windows=WINDOWS, opening_px=3, buffer_px=2)
COLUMNS = ["left_benign", "right_benign", "left_malignant", "right_malignant"]


def window_of(row: ImageRow, heatmaps: bool) -> NDArray[np.float32]:
    """Cut around the centre, zeros beside the crop, mean 0 and deviation 1; heatmaps from 0 to 1 behind it."""
    image = row.mammogram(read_pixels(row.path))
    crop = crop_breast(with_heatmaps(image, row, CLASSES) if heatmaps else image, PREP)
    (rows, cols), (height, width) = WINDOWS[row.view], crop.pixels.shape
    planes = [crop.pixels.astype(np.float64)]
    if crop.heatmaps is not None:
        planes += [plane / 65535 for plane in crop.heatmaps]
    above = max(0, rows - height) // 2 if row.view == "CC" else 0
    below, right = max(0, rows - height) - above, max(0, cols - width)
    y, x = crop.best_center
    top = 0 if height < rows else min(max(0, y - rows // 2), height - rows)
    left = 0 if width < cols else min(max(0, x - cols // 2), width - cols)
    cut = [np.pad(p, ((above, below), (0, right)))[top : top + rows, left : left + cols] for p in planes]
    cut[0] = (cut[0] - cut[0].mean()) / cut[0].std()
    return np.stack(cut).astype(np.float32)


def features(state: dict[str, Tensor], prefix: str, x: Tensor) -> Tensor:
    """ResNet-22, by its published names -> mean over space."""

    def norm(name: str, values: Tensor) -> Tensor:
        mean, variance, weight, bias = (
            state[f"{prefix}.{name}.{what}"] for what in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.relu(functional.batch_norm(values, mean, variance, weight, bias, eps=1e-5))

    x = functional.max_pool2d(functional.conv2d(x, state[f"{prefix}.first_conv.weight"], stride=2), 3, 2)
    for group in range(5):
        for block in range(2):
            name, stride = f"layer_list.{group}.{block}", 2 if group and not block else 1
            active = norm(f"{name}.bn1", x)
            if not block:
                x = functional.conv2d(active, state[f"{prefix}.{name}.downsample.0.weight"], stride=stride)
            y = functional.conv2d(active, state[f"{prefix}.{name}.conv1.weight"], stride=stride, padding=1)
            y = norm(f"{name}.bn2", y)
            x = x + functional.conv2d(y, state[f"{prefix}.{name}.conv2.weight"], padding=1)
    return norm("final_bn", x).mean((2, 3))


def log_probabilities(state: dict[str, Tensor], name: str, z: Tensor, rows: int) -> Tensor:
    z = functional.relu(z @ state[f"fc1_{name}.weight"].T + state[f"fc1_{name}.bias"])
    out = z @ state[f"output_layer_{name}.fc_layer.weight"].T + state[f"output_layer_{name}.fc_layer.bias"]
    return functional.log_softmax(out[:, : 2 * rows].reshape(rows, 2), -1)


def exam_scores(state: dict[str, Tensor], config: DmvCnnConfig, views: dict[str, Tensor]) -> list[float]:
    """left_benign, right_benign, left_malignant, right_malignant."""
    z = {v: features(state, f"four_view_resnet.{v.replace('-', '_').lower()}", x[None]) for v, x in views.items()}
    if config.fusion == "view_wise":
        found = [
            log_probabilities(state, p.lower(), torch.cat([z[f"L-{p}"], z[f"R-{p}"]], 1), 4) for p in ("CC", "MLO")
        ]
        return torch.stack([log_p.exp()[:, 1] for log_p in found]).mean(0).tolist()  # type: ignore[no-any-return]
    of_view = {v: log_probabilities(state, v.replace("-", "").lower(), z[v], 2).exp()[:, 1] for v in views}
    sides = [(of_view[f"{side}-CC"] + of_view[f"{side}-MLO"]) / 2 for side in "LR"]
    return [sides[0][0].item(), sides[1][0].item(), sides[0][1].item(), sides[1][1].item()]


@pytest.fixture(scope="module")
def manifest(phantom_study: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The test exams, with heatmaps of a patch classifier that sees stripes."""
    folder = tmp_path_factory.mktemp("heatmaps")
    table = phantom_study.table[phantom_study.table["split"] == "test"].copy()
    for number, name in enumerate(CLASSES):
        path = folder / f"{name}.png"
        cv2.imwrite(str(path), np.tile(np.arange(160, dtype=np.uint16) * (120 + 200 * number), (208, 1)))
        table[f"{name}_heatmap"] = str(path)
    found = Manifest.from_table(table, folder / "manifest.csv")
    found.to_csv(folder / "manifest.csv")
    return replace(found, path=folder / "manifest.csv")


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.title)
def test_from_images_to_the_published_table(
    file: PublishedFile,
    manifest: Manifest,
    published_state: Callable[[PublishedFile], Any],
    mammoseg: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """On small windows: those of the file take minutes."""
    state, config = published_state(file), file.config
    assert isinstance(config, DmvCnnConfig)
    torch.save({"model": state}, tmp_path / "model.p")
    assert mammoseg("import-weights", tmp_path / "model.p", "--out", tmp_path / "published").code == 0
    small = config.model_copy(update={"windows": WINDOWS})
    model = DmvCnn(small)
    open_checkpoint(tmp_path / "published").load_weights(model)
    plain = [values.model_dump(mode="json") for values in (small, PREP)]
    save_checkpoint(tmp_path / "small", "dmvcnn", model, *plain, {})
    done = mammoseg(
        *("predict", "--checkpoint", tmp_path / "small", "--manifest", manifest.path, "--out", tmp_path / "p"),
        *("--device", "cpu", "--no-overlays"),
    )
    assert done.code == 0, done.err
    options = ("--predictions", tmp_path / "p", "--manifest", manifest.path, "--set", "exams=true")
    assert mammoseg("export", "published", *options, "--out", tmp_path / "table").code == 0
    table = pd.read_csv(tmp_path / "table" / "predictions_published.csv")
    assert list(table) == ["index", *COLUMNS]
    exams: dict[str, dict[str, Tensor]] = {}
    for row in manifest.rows():
        view = f"{row.laterality}-{row.view}"
        exams.setdefault(row.exam_id, {})[view] = torch.from_numpy(window_of(row, config.heatmaps))
    expected = [exam_scores(state, config, views) for views in exams.values()]
    assert len(table) == len(expected) == 3
    np.testing.assert_allclose(table[COLUMNS], expected, atol=6e-5)
    spread = np.ptp(np.array(expected), axis=0)
    assert (spread > 1e-3).any(), "exams that differ"
    assert all(not np.allclose(one, other, atol=1e-4) for one, other in pairwise(expected))
