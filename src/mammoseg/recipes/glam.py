"""Training runs of GLAM, each a function that returns the whole configuration."""

from mammoseg.models.glam.config import GlamConfig, GlobalConfig, LocalConfig, ObjectiveConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig


def glam_paper() -> TrainConfig:
    """GLAM as published: 2944 x 1920 windows, ResNet-22 and high-resolution ResNet-34, patches of 512 pixels.

    Command   mammoseg train --recipe glam_paper --manifest M --out RUN --device cuda
    """
    stage = StageConfig(epochs=50, learning_rate=2e-5, batch_size=8)
    return TrainConfig(network=GlamConfig(), stages={"global": stage, "local": stage, "joint": stage})


def glam_small() -> TrainConfig:
    """GLAM for a laptop: 368 x 240 windows with the published grids (92 x 60, 46 x 30, 23 x 15 cells).

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe glam_small --manifest study/manifest.csv --out run
    """
    network = GlamConfig(
        global_module=GlobalConfig(widths=(16, 16, 32, 64, 128), strides=(1, 2, 1, 2, 2), stem_pool=False),
        local_module=LocalConfig(
            blocks=(1, 1, 1), widths=(16, 32, 64), strides=(1, 1, 1), stem_pool=False, channels_in=1, top_t=0.1
        ),
        objective=ObjectiveConfig(global_sparsity=0.5, local_sparsity=0.3, reduction="mean"),
        patch_px=64,
    )
    return TrainConfig(
        network=network,
        prep=PrepConfig(window=(368, 240), opening_px=12, buffer_px=6),
        augment=AugmentConfig(location_px=(12, 12), size_px=12),
        stages={
            "global": StageConfig(epochs=12, learning_rate=3e-3, schedule="one_cycle"),
            "local": StageConfig(epochs=6, learning_rate=3e-3, schedule="one_cycle"),
            "joint": StageConfig(epochs=3, learning_rate=5e-4, schedule="one_cycle"),
        },
    )


def glam_demo() -> TrainConfig:
    """`glam_small` with fewer epochs, for `mammoseg demo`."""
    stages = {
        "global": StageConfig(epochs=6, learning_rate=3e-3, schedule="one_cycle"),
        "local": StageConfig(epochs=4, learning_rate=3e-3, schedule="one_cycle"),
        "joint": StageConfig(epochs=2, learning_rate=5e-4, schedule="one_cycle"),
    }
    return glam_small().model_copy(update={"stages": stages})
