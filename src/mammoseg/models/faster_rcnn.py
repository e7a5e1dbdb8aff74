"""Faster R-CNN: a detector that learns from boxes, and what it says of an image.

    trunk -> feature pyramid -> proposals (region proposal network) -> boxes of every class with scores s (RoI heads)
    y_k = highest s of class k in the image         S_k(i, j) = highest s of the boxes of class k over this place, else 0

Source   Ren et al. 2015 (arXiv:1506.01497) with the feature pyramid of Lin et al. 2017 (arXiv:1612.03144), as torchvision has it
         (BSD-3-Clause; pip install 'mammoseg[detection]'): losses, matching, sampling and suppression are its own, with its
         settings. GMIC (Shen et al. 2021, arXiv:2002.07613, Table 1) compares with the Faster R-CNN of Fevry et al. 2019:
         104.8 million parameters, AUC 0.908 malignant and 0.761 benign. Its trunk, anchors and its rule for the score of an
         image are not published.
Ours     ResNet-50, 41.3 million parameters, less than half of theirs: costs of the two cannot be compared. The rule for y.
         Windows as all models here see them, in gray, in the place of colours and of resizing. Without a lowest score: every image
         has a y.
Boxes    Of the manifest, else around the parts of its masks. An image of which not all classes are known teaches nothing. In
         validation the loss is that of training, with its sampling.
Details  Boxes between whose sides no middle of a cell lies are not in the map, whose cells are 4 x 4 pixels of the window.
Shapes   B batch | K class | D boxes of a class | N proposals | H, W pixels of the window | h, w cells of the map
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from mammoseg.nn.contract import (
    Batch,
    Detections,
    Learning,
    Network,
    NetworkConfig,
    NoObjective,
    Output,
    Stage,
    StepOutput,
)
from mammoseg.nn.limits import Blocks, Stride, Width, check_groups
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.vision import torchvision
from mammoseg.records.finding import Box

CELL_PX = 4
RATIOS = (0.5, 1.0, 2.0)
"""Height to width of the anchors."""
ANCHORS_THAT_COUNT, PROPOSALS_THAT_COUNT = (0.7, 0.3, 256, 0.5), (0.5, 0.5, 512, 0.25)
"""In training: the overlap from which one is a lesion, that below which it is none, how many of an image are drawn, and the share
of lesions among them."""
POOLED = 7
"""Side of what the RoI heads see of a proposal."""


class FasterRcnnConfig(NetworkConfig):
    """ResNet-50 and the settings of torchvision's `fasterrcnn_resnet50_fpn`."""

    blocks: tuple[Blocks, ...] = (3, 4, 6, 3)
    widths: tuple[Width, ...] = (64, 128, 256, 512)
    strides: tuple[Stride, ...] = (1, 2, 2, 2)
    bottleneck: bool = True
    pyramid: Width = 256
    """Channels of every level of the feature pyramid."""
    anchor_px: int = Field(32, ge=1, le=4096)
    """Side of the anchors of the finest level; every further one has twice as large ones."""
    hidden: Width = 1024
    """Of the RoI heads."""
    proposals: int = Field(1000, ge=1, le=10_000)
    """Of an image, at most; 2,000 in training, as torchvision has it, or as many as here if that is fewer than 1,000."""
    detections: int = Field(100, ge=1, le=1000)
    """Boxes of a class in an image, at most."""

    @model_validator(mode="after")
    def _groups(self) -> "FasterRcnnConfig":
        check_groups(self.blocks, self.widths, self.strides)
        return self


class Anchors(nn.Module):
    """As torchvision's, which notes on itself what it computes."""

    def __init__(self, sizes_px: Sequence[int], strides_px: Sequence[int]) -> None:
        super().__init__()
        self.sizes_px, self.strides_px = tuple(sizes_px), tuple(strides_px)

    def forward(self, images, levels):  # type: ignore[no-untyped-def]  # of torchvision
        """For each image (A, 4) as (left, top, right, bottom)."""
        found = [
            self._of_level(size, stride, level)
            for size, stride, level in zip(self.sizes_px, self.strides_px, levels, strict=True)
        ]
        return [torch.cat(found)] * len(images.image_sizes)

    def _of_level(self, size_px: int, stride_px: int, level: Tensor) -> Tensor:
        """torchvision divides the window by the cells; its windows are multiples of all strides, ours need not be."""
        root = torch.tensor(RATIOS, device=level.device).sqrt()
        half_A2 = torch.stack([size_px / root, size_px * root], dim=1) / 2
        base_A4 = torch.cat([-half_A2, half_A2], dim=1).round()
        y, x = torch.meshgrid(
            *(torch.arange(cells, device=level.device) * stride_px for cells in level.shape[-2:]),
            indexing="ij",
        )
        middle_n4 = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
        return (middle_n4 + base_A4).reshape(-1, 4)


class FasterRcnn(Network):
    def __init__(self, config: FasterRcnnConfig) -> None:
        super().__init__()
        vision = torchvision()
        detection, levels = vision.models.detection, len(config.blocks)
        self.config = config
        self.trunk = ResNet(config.blocks, config.widths, config.strides, channels_in=1, bottleneck=config.bottleneck)
        expansion = self.trunk.features // config.widths[-1]
        channels = [width * expansion for width in config.widths]
        pool = vision.ops.feature_pyramid_network.LastLevelMaxPool()
        self.fpn = vision.ops.FeaturePyramidNetwork(channels, config.pyramid, pool)
        few, strides = config.proposals < 1000, _strides(config)
        most = {"training": config.proposals if few else 2000, "testing": config.proposals}
        self.rpn = detection.rpn.RegionProposalNetwork(
            Anchors([config.anchor_px * 2**level for level in range(levels + 1)], [*strides, 2 * strides[-1]]),
            detection.rpn.RPNHead(config.pyramid, len(RATIOS)),
            *ANCHORS_THAT_COUNT,
            *(most, most, 0.7),
        )
        align = vision.ops.MultiScaleRoIAlign([str(level) for level in range(levels)], POOLED, 2)
        align.scales = [1 / stride for stride in strides]  # else noted at the first call
        align.map_levels = vision.ops.poolers.LevelMapper(2, 1 + levels, canonical_scale=7 * config.anchor_px)
        self.roi_heads = detection.roi_heads.RoIHeads(
            align,
            detection.faster_rcnn.TwoMLPHead(config.pyramid * POOLED**2, config.hidden),
            detection.faster_rcnn.FastRCNNPredictor(config.hidden, 1 + len(config.classes)),
            *PROPOSALS_THAT_COUNT,
            None,
            *(0.0, 0.5, config.detections),
        )

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        levels = self.levels(image_B1HW)
        return self._without_values(levels) if image_B1HW.is_meta else self.detect(image_B1HW, levels)

    def levels(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> "OrderedDict[str, Tensor]":
        """The feature pyramid, in float32."""
        of_trunk = OrderedDict((str(number), h) for number, h in enumerate(self.trunk.levels(image_B1HW)))
        return OrderedDict((name, h.float()) for name, h in self.fpn(of_trunk).items())

    def detect(self, image_B1HW: Float[Tensor, "B 1 H W"], levels: "OrderedDict[str, Tensor]") -> Output:
        boxes_of, images = torchvision().ops, self._images(image_B1HW)
        window, count, classes = images.image_sizes[0], self.config.detections, len(self.config.classes)
        with _mode(self.rpn, False), torch.autocast(image_B1HW.device.type, enabled=False):
            proposals, _ = self.rpn(images, levels)
            pooled = self.roi_heads.box_roi_pool(levels, proposals, images.image_sizes)
            logits, deltas = self.roi_heads.box_predictor(self.roi_heads.box_head(pooled))
            placed = self.roi_heads.box_coder.decode(deltas, proposals)
        boxes_BKD4 = deltas.new_zeros(len(image_B1HW), classes, count, 4)
        scores_BKD = deltas.new_zeros(len(image_B1HW), classes, count)
        sizes = [len(of_image) for of_image in proposals]
        per_image = zip(placed.split(sizes), logits.softmax(-1).split(sizes), strict=True)
        for b, (placed_NK4, score_NK) in enumerate(per_image):
            for k in range(classes):
                boxes_N4 = boxes_of.clip_boxes_to_image(placed_NK4[:, 1 + k], window)
                large = boxes_of.remove_small_boxes(boxes_N4, 0.01)
                boxes_N4, score_N = boxes_N4[large], score_NK[large, 1 + k]
                kept = boxes_of.nms(boxes_N4.detach(), score_N.detach(), self.roi_heads.nms_thresh)[:count]
                boxes_BKD4[b, k, : len(kept)] = boxes_N4[kept][:, [1, 0, 3, 2]]
                scores_BKD[b, k, : len(kept)] = score_N[kept]
        S_BKhw = painted(boxes_BKD4.detach(), scores_BKD.detach(), window)
        return Output(scores_BKD[..., 0], {"saliency": S_BKhw}, detections=Detections(boxes_BKD4, scores_BKD))

    def losses(
        self, image_B1HW: Float[Tensor, "B 1 H W"], levels: "OrderedDict[str, Tensor]", targets: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """torchvision's four."""
        images = self._images(image_B1HW)
        with (
            _mode(self.rpn, True),
            _mode(self.roi_heads, True),
            torch.autocast(image_B1HW.device.type, enabled=False),
        ):
            proposals, of_proposals = self.rpn(images, levels, targets)
            _, of_boxes = self.roi_heads(levels, proposals, images.image_sizes, targets)
        return {name.removeprefix("loss_"): loss for name, loss in {**of_proposals, **of_boxes}.items()}

    def _images(self, image_B1HW: Tensor):  # type: ignore[no-untyped-def]  # of torchvision
        H, W = image_B1HW.shape[-2:]
        return torchvision().models.detection.image_list.ImageList(image_B1HW, [(H, W)] * len(image_B1HW))

    def _without_values(self, levels: "OrderedDict[str, Tensor]") -> Output:
        """What is computed on the meta device, where costs are counted: with as many proposals and boxes as there may be."""
        first, config = levels["0"], self.config
        self.rpn.head(list(levels.values()))
        pooled = first.new_zeros(len(first) * config.proposals, config.pyramid, POOLED, POOLED)
        self.roi_heads.box_predictor(self.roi_heads.box_head(pooled))
        shape = len(first), len(config.classes)
        scores_BKD = first.new_zeros(*shape, config.detections)
        boxes = Detections(first.new_zeros(*shape, config.detections, 4), scores_BKD)
        return Output(scores_BKD[..., 0], {"saliency": first.new_zeros(*shape, *first.shape[-2:])}, detections=boxes)


def _strides(config: FasterRcnnConfig) -> list[int]:
    """Pixels of the window between the cells of each level."""
    found = [4]
    for stride in config.strides:
        found.append(found[-1] * stride)
    return found[1:]


@contextmanager
def _mode(module: nn.Module, training: bool) -> Iterator[None]:
    """Which of its two ways of working a part of torchvision takes; the layers in it do not differ."""
    before = module.training
    if before == training:
        yield
        return
    module.training = training
    try:
        yield
    finally:
        module.training = before


def painted(
    boxes_BKD4: Float[Tensor, "B K D 4"], scores_BKD: Float[Tensor, "B K D"], window: tuple[int, int]
) -> Float[Tensor, "B K h w"]:
    """The highest score of the boxes over the middle of each cell of CELL_PX."""
    rows, columns = ((torch.arange(-(-side // CELL_PX), device=boxes_BKD4.device) + 0.5) * CELL_PX for side in window)
    S_BKhw = boxes_BKD4.new_zeros(*scores_BKD.shape[:2], len(rows), len(columns))
    for box_BK4, score_BK in zip(boxes_BKD4.unbind(2), scores_BKD.unbind(2), strict=True):
        top, left, bottom, right = (side.unsqueeze(-1) for side in box_BK4.unbind(-1))
        high_BKh, wide_BKw = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
        inside_BKhw = high_BKh.unsqueeze(-1) & wide_BKw.unsqueeze(-2)
        S_BKhw = torch.maximum(S_BKhw, inside_BKhw * score_BK[..., None, None])
    return S_BKhw


def targets_of(
    boxes: Sequence[Mapping[str, tuple[Box, ...]]], classes: Sequence[str], image_B1HW: Tensor
) -> tuple[list[int], list[dict[str, Tensor]]]:
    """The images of which every class is known, and their boxes as torchvision takes them, cut to the window."""
    H, W = image_B1HW.shape[-2:]
    known = [b for b, of_image in enumerate(boxes) if all(name in of_image for name in classes)]
    targets = []
    for b in known:
        found = [(1 + k, box) for k, name in enumerate(classes) for box in boxes[b][name]]
        cut = [(k, (max(x, 0), max(y, 0), min(x2, W), min(y2, H))) for k, (y, x, y2, x2) in found]
        cut = [(k, (x, y, x2, y2)) for k, (x, y, x2, y2) in cut if x2 - x >= 1 and y2 - y >= 1]
        boxes_n4 = torch.tensor([box for _, box in cut], dtype=torch.float32, device=image_B1HW.device).reshape(-1, 4)
        labels_n = torch.tensor([k for k, _ in cut], dtype=torch.int64, device=image_B1HW.device)
        targets.append({"boxes": boxes_n4, "labels": labels_n})
    return known, targets


def step(model: FasterRcnn, batch: Batch, objective: NoObjective, training: bool) -> StepOutput:
    if batch.boxes is None:
        raise TypeError("a model that learns from boxes needs batches with them")
    image_B1HW = batch.image_BCHW
    levels = model.levels(image_B1HW)
    known, targets = targets_of(batch.boxes, model.config.classes, image_B1HW)
    if known:
        losses = model.losses(image_B1HW[known], OrderedDict((n, h[known]) for n, h in levels.items()), targets)
    else:
        losses = {"nothing": sum((h.sum() for h in levels.values()), image_B1HW.new_zeros(())) * 0}
    with torch.no_grad():
        out = model.detect(image_B1HW, levels)
    return StepOutput(losses, out.y_BK, out.maps["saliency"])


def build(config: FasterRcnnConfig) -> FasterRcnn:
    return FasterRcnn(config)


NEEDS = ("torchvision", "detection")
Config = FasterRcnnConfig
TINY = FasterRcnnConfig(
    blocks=(1, 1),
    widths=(16, 16),
    strides=(1, 2),
    bottleneck=False,
    pyramid=8,
    anchor_px=16,
    hidden=8,
    proposals=30,
    detections=5,
)
LEARNING = Learning(
    stages=(Stage("boxes", trains=("*",), step=step, judged_by=("auc", "loss")),), learns_from=("labels", "boxes")
)
