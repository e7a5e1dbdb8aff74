"""Training runs of the U-Net, each a function that returns the whole configuration."""

from mammoseg.models.unet import UNetConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig


def unet_paper() -> TrainConfig:
    """The windows of the GMIC paper, 2944 x 1920. Of its U-Net depth, loss and resolution are not published; ours: the widths of
    the first U-Net (Ronneberger et al. 2015), on half of the window's size.

    Command   mammoseg train --recipe unet_paper --manifest M --out RUN --device cuda
    """
    return TrainConfig(
        model="unet",
        network=UNetConfig(widths=(64, 128, 256, 512, 1024)),
        prep=PrepConfig(pixel_mm=0.07),
        stages={"masks": StageConfig(epochs=50, learning_rate=1e-4, schedule="one_cycle", batch_size=4, accumulate=4)},
        select_class="malignant",
        chronological=True,
    )


def unet_small() -> TrainConfig:
    """A U-Net with lesion masks for a laptop: the windows of `glam_small`, and what they give when the masks are known.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe unet_small --manifest study/manifest.csv --out run
    """
    return TrainConfig(
        model="unet",
        network=UNetConfig(),
        prep=PrepConfig(window=(368, 240), pixel_mm=0.56, opening_px=12, buffer_px=6),
        augment=AugmentConfig(location_px=(12, 12), size_px=12),
        stages={"masks": StageConfig(epochs=20, learning_rate=2e-3, schedule="one_cycle", batch_size=8)},
        precision="auto",
    )
