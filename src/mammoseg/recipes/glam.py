"""Training runs of GLAM, each a function that returns the whole configuration."""

from mammoseg.models.glam.config import GlamConfig, GlobalConfig, LocalConfig, ObjectiveConfig
from mammoseg.nn.unet import UNetShape
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig

_SMALL_LOCAL = LocalConfig(
    blocks=(1, 1, 1), widths=(16, 32, 64), strides=(1, 1, 1), stem_pool=False, channels_in=1, top_t=0.1
)
_OURS = {"heads": "where_what", "top_t": 0.05, "aggregation": "concatenation"}


def glam_paper() -> TrainConfig:
    """GLAM as published: 2944 x 1920 windows, ResNet-22 and high-resolution ResNet-34, patches of 512 pixels.

    Images are resampled to 0.07 mm, the pixels of most published training images; the published models saw pixels as stored.

    GLAM's rates and sparsity are not public. The rate is the highest that GMIC searched, for random weights; sparsity is that of
    `glam_small`, a mean over cells; batches are those of GMIC: four exams.

    Command   mammoseg train --recipe glam_paper --manifest M --out RUN --device cuda
    """
    stage = StageConfig(epochs=50, learning_rate=1e-4, batch_size=16, whole_exams=True)
    prep = PrepConfig(pixel_mm=0.07)
    stages = {"global": stage, "local": stage, "joint": stage}
    return TrainConfig(
        network=GlamConfig(),
        objective=ObjectiveConfig(global_sparsity=0.05, local_sparsity=0.05, reduction="mean"),
        prep=prep,
        stages=stages,
        select_class="malignant",
        chronological=True,
    )


def glam_small() -> TrainConfig:
    """GLAM for a laptop: 368 x 240 windows of 0.56 mm pixels with the published grids (92 x 60, 46 x 30, 23 x 15 cells), our heads
    and a student that learns from outlines grown from its maps.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe glam_small --manifest study/manifest.csv --out run
    """
    network = GlamConfig(
        global_module=GlobalConfig(
            widths=(16, 16, 32, 64, 128),
            strides=(2, 1, 1, 2, 2),
            stem_pool=False,
            heads="where_what",
            top_t=0.04,
            top_t_of="breast",
            scale_weights=(1.0, 0.0, 0.0),
            flips=True,
        ),
        local_module=_SMALL_LOCAL.model_copy(update=_OURS),
        patch_px=64,
        num_patches=3,
        prediction="student",
        combine="student",
        student=UNetShape(),
    )
    return TrainConfig(
        network=network,
        objective=ObjectiveConfig(
            global_sparsity=0.05,
            local_sparsity=0.05,
            reduction="mean",
            top_t_start=0.2,
            equivariance=20.0,
            lesion_radius_px=(5.0, 27.0),
        ),
        prep=PrepConfig(window=(368, 240), pixel_mm=0.56, opening_px=12, buffer_px=6),
        augment=AugmentConfig(location_px=(12, 12), size_px=12),
        stages={
            "global": StageConfig(epochs=20, learning_rate=1.5e-3, schedule="one_cycle", batch_size=8),
            "local": StageConfig(epochs=8, learning_rate=1e-3, schedule="one_cycle", batch_size=8),
            "joint": StageConfig(epochs=4, learning_rate=3e-4, schedule="one_cycle", batch_size=8),
            "student": StageConfig(epochs=10, learning_rate=2e-3, schedule="one_cycle", batch_size=8),
        },
        precision="auto",
    )


def glam_demo() -> TrainConfig:
    """`glam_small` with fewer epochs and a narrower student, for `mammoseg demo --train`.

    Command   mammoseg phantom --exams 270 --out study
              mammoseg train --recipe glam_demo --manifest study/manifest.csv --out run
    """
    small = glam_small()
    epochs = {"global": 5, "local": 1, "joint": 1, "student": 4}
    stages = {name: stage.model_copy(update={"epochs": epochs[name]}) for name, stage in small.stages.items()}
    network = small.network.model_copy(update={"student": UNetShape(widths=(8, 16, 32, 64, 64))})
    return small.model_copy(update={"network": network, "stages": stages})


def glam_film() -> TrainConfig:
    """GLAM for a few hundred digitised films such as mini-MIAS: 512 x 320 windows of 0.4 mm pixels, 64 x 40 cells.

    Command   mammoseg adapt mini_mias MIAS --out study/manifest.csv
              mammoseg train --recipe glam_film --manifest study/manifest.csv --out run
    """
    network = GlamConfig(
        global_module=GlobalConfig(widths=(16, 16, 32, 64, 128), strides=(2, 2, 1, 2, 2), stem_pool=False, top_t=0.05),
        local_module=_SMALL_LOCAL,
        patch_px=96,
    )
    return TrainConfig(
        network=network,
        objective=ObjectiveConfig(global_sparsity=0.01, local_sparsity=0.02, reduction="mean"),
        prep=PrepConfig(window=(512, 320), pixel_mm=0.4, background="film", opening_px=17, buffer_px=12),
        augment=AugmentConfig(location_px=(24, 24), size_px=24),
        stages={
            "global": StageConfig(epochs=40, learning_rate=1e-3, schedule="one_cycle", batch_size=8),
            "local": StageConfig(epochs=20, learning_rate=1e-3, schedule="one_cycle", batch_size=8),
            "joint": StageConfig(epochs=10, learning_rate=3e-4, schedule="one_cycle", batch_size=8),
        },
        precision="auto",
    )
