"""Training runs of the models of a lab, for a minute at most."""

from my_lab.models.two_views import TwoViewsConfig
from my_lab.models.unet import UNetConfig

from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig

_PREP = PrepConfig(window=(96, 64), pixel_mm=2.24, opening_px=3, buffer_px=2)
_AUGMENT = AugmentConfig(location_px=(4, 4), size_px=4)
_QUICK = StageConfig(epochs=2, learning_rate=3e-3, batch_size=4)


def unet() -> TrainConfig:
    """The U-Net from outlines.

    Command   mammoseg train --recipe my_lab.recipes.tiny.unet --manifest M --out RUN
    """
    network = UNetConfig(width=8)
    return TrainConfig(
        model="my_lab.models.unet", network=network, prep=_PREP, augment=_AUGMENT, stages={"pixels": _QUICK}
    )


def two_views() -> TrainConfig:
    """Both views of a breast.

    Command   mammoseg train --recipe my_lab.recipes.tiny.two_views --manifest M --out RUN
    """
    return TrainConfig(
        model="my_lab.models.two_views",
        network=TwoViewsConfig(),
        prep=_PREP,
        augment=_AUGMENT,
        stages={"breasts": _QUICK},
    )
