"""Faster R-CNN. What holds for every model is in test_contract.py."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from mammoseg.data.manifest import Manifest
from mammoseg.inference.predictor import open_predictor
from mammoseg.models import MissingPackageError, build_model
from mammoseg.models.faster_rcnn import TINY, Anchors, FasterRcnnConfig, build, painted, step, targets_of
from mammoseg.nn.contract import Batch, NoObjective
from mammoseg.nn.vision import torchvision
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.run import train

needs_torchvision = pytest.mark.skipif(find_spec("torchvision") is None, reason="torchvision is not installed")


def test_without_torchvision_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mammoseg.models.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'mammoseg\[detection\]'"):
        build_model("faster_rcnn")


@needs_torchvision
def test_it_is_that_of_torchvision() -> None:
    """As many parameters, less those of two of three colours; the same anchors."""
    detection = torchvision().models.detection
    with torch.device("meta"):
        theirs = detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3)
        ours = build(FasterRcnnConfig())
    count = [sum(p.numel() for p in model.parameters()) for model in (theirs, ours)]
    assert count[0] - count[1] == 2 * 7 * 7 * 64
    images = detection.image_list.ImageList(torch.zeros(2, 1, 104, 64), [(104, 64)] * 2)
    levels = [torch.zeros(2, 8, 26, 16), torch.zeros(2, 8, 13, 8)]
    generator = detection.anchor_utils.AnchorGenerator(((32,), (64,)), ((0.5, 1.0, 2.0),) * 2)
    for found, expected in zip(Anchors((32, 64), (4, 8))(images, levels), generator(images, levels), strict=True):
        torch.testing.assert_close(found, expected)
    images = detection.image_list.ImageList(torch.zeros(1, 1, 368, 240), [(368, 240)])
    [odd] = Anchors((32,), (64,))(images, [torch.zeros(1, 8, 6, 4)])
    assert odd[-1].view(2, 2).mean(0).tolist() == [3 * 64, 5 * 64], (
        "where the last cell looks, also if no cells fill the window"
    )


@needs_torchvision
def test_it_learns_a_lesion_from_its_box() -> None:
    torch.manual_seed(0)
    model = build(TINY.model_copy(update={"pyramid": 16, "hidden": 16})).train()
    image = torch.randn(4, 1, 96, 64) * 0.1
    places = ((10, 8), (50, 20), (30, 40))
    boxes: list[dict[str, tuple[tuple[float, float, float, float], ...]]] = []
    for i, (row, col) in enumerate(places):
        image[i, :, row : row + 20, col : col + 16] += 1
        boxes.append({"benign": (), "malignant": ((row, col, row + 20, col + 16),)})
    batch = Batch(image, torch.zeros(4, 2), boxes=(*boxes, {"benign": (), "malignant": ()}))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        torch.stack(list(step(model, batch, NoObjective(), True).losses.values())).sum().backward()
        optimizer.step()
    out = model(image)
    assert out.y_BK[:3, 1].min() > 0.5 > out.y_BK[3].max()
    assert out.detections is not None
    for i, (row, col) in enumerate(places):
        box = out.detections.boxes_BKD4[i, 1, 0]
        assert (box - torch.tensor([row, col, row + 20, col + 16])).abs().max() < 8
        peak = out.maps["saliency"][i, 1]
        assert peak.max() == out.y_BK[i, 1]
        assert peak[row // 4 + 2, col // 4 + 2] > 0.5


def test_a_map_has_the_highest_score_over_each_place() -> None:
    boxes = torch.zeros(1, 2, 2, 4)
    boxes[0, 0] = torch.tensor([[0.0, 0.0, 8.0, 8.0], [4.0, 4.0, 12.0, 9.9]])
    S = painted(boxes, torch.tensor([[[0.9, 0.3], [0.0, 0.0]]]), (12, 10))
    assert S.shape == (1, 2, 3, 3)
    torch.testing.assert_close(S[0, 0], torch.tensor([[0.9, 0.9, 0.0], [0.9, 0.9, 0.0], [0.0, 0.3, 0.0]]))
    assert not S[0, 1].any()


def test_boxes_are_cut_to_the_window_and_unknown_images_left_out() -> None:
    boxes = [{"benign": ()}, {"benign": ((-5.0, 2.0, 3.0, 9.0),), "malignant": ((20.0, 0.0, 30.0, 4.0),)}]
    known, [target] = targets_of(boxes, ("benign", "malignant"), torch.zeros(2, 1, 16, 8))  # type: ignore[arg-type]
    assert known == [1]
    assert target["boxes"].tolist() == [[2, 0, 8, 3]]
    assert target["labels"].tolist() == [1]


@needs_torchvision
def test_its_boxes_are_the_findings(phantom_study: Manifest, tiny_config: TrainConfig, tmp_path: Path) -> None:
    """From masks to findings on the pixels of the file."""
    stages = {"boxes": StageConfig(epochs=1, learning_rate=1e-3, batch_size=4)}
    values = {"model": "faster_rcnn", "network": TINY, "prep": tiny_config.prep, "augment": tiny_config.augment}
    config = TrainConfig.model_validate({**values, "stages": stages, "select_by": "auc"})
    train(config, phantom_study, tmp_path / "run", torch.device("cpu"))
    row = next(phantom_study.rows())
    prediction = open_predictor(tmp_path / "run").predict(row)
    assert prediction.findings
    for name, score in prediction.scores.items():
        highest = [finding.score for finding in prediction.findings if finding.label == name][:1]
        assert highest == ([pytest.approx(score)] if score >= 0.01 else [])
    for finding in prediction.findings:
        assert finding.box is not None
        top, left, bottom, right = finding.box
        assert 0 <= top < finding.peak[0] < bottom <= prediction.grid.original_shape[0]
        assert 0 <= left < finding.peak[1] < right <= prediction.grid.original_shape[1]
        assert not finding.polygon
    assert np.isfinite(prediction.maps["saliency"]).all()


@needs_torchvision
def test_it_needs_boxes() -> None:
    with pytest.raises(TypeError, match="needs batches with them"):
        step(build(TINY), Batch(torch.zeros(1, 1, 96, 64), torch.zeros(1, 2)), NoObjective(), True)
