"""Training runs of Faster R-CNN, each a function that returns the whole configuration. pip install 'mammoseg[detection]'."""

from mammoseg.models.faster_rcnn import FasterRcnnConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig


def faster_rcnn_paper() -> TrainConfig:
    """The windows of the GMIC paper, 2944 x 1920, and ResNet-50. How its Faster R-CNN was trained is not published: rate and length
    are ours.

    From random weights; ImageNet weights of a ResNet-50, a file of torchvision: --set pretrained.trunk=FILE.

    Command   mammoseg train --recipe faster_rcnn_paper --manifest M --out RUN --device cuda
    """
    return TrainConfig(
        model="faster_rcnn",
        network=FasterRcnnConfig(),
        prep=PrepConfig(pixel_mm=0.07),
        stages={"boxes": StageConfig(epochs=50, learning_rate=1e-4, schedule="one_cycle", batch_size=4, accumulate=4)},
        select_by="auc",
        select_class="malignant",
        chronological=True,
    )


def faster_rcnn_small() -> TrainConfig:
    """For phantoms and a laptop: windows of 368 x 240 pixels of 0.56 mm, a small trunk, anchors of 8 to 128 pixels.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe faster_rcnn_small --manifest study/manifest.csv --out run
    """
    network = FasterRcnnConfig(
        blocks=(1, 1, 1, 1),
        widths=(16, 32, 64, 128),
        bottleneck=False,
        pyramid=32,
        anchor_px=8,
        hidden=128,
        proposals=100,
        detections=20,
    )
    return TrainConfig(
        model="faster_rcnn",
        network=network,
        prep=PrepConfig(window=(368, 240), pixel_mm=0.56, opening_px=12, buffer_px=6),
        augment=AugmentConfig(location_px=(12, 12), size_px=12),
        stages={"boxes": StageConfig(epochs=10, learning_rate=1e-3, schedule="one_cycle", batch_size=8)},
        select_by="auc",
    )
