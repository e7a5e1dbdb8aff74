"""Training runs of the patch classifier, each a function that returns the whole configuration."""

from mammoseg.models.patch_densenet.config import ObjectiveConfig, PatchDenseNetConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig


def patch_densenet_paper() -> TrainConfig:
    """The patch classifier of Wu et al. in its published size: DenseNet-121 on patches of 256 pixels of 0.07 mm.

    How it was trained is not published: patches, rate, and length are ours. Images need lesion masks, or boxes.

    Command   mammoseg train --recipe patch_densenet_paper --manifest M --out RUN --device cuda
    """
    return TrainConfig(
        model="patch_densenet",
        network=PatchDenseNetConfig(),
        prep=PrepConfig(pixel_mm=0.07),
        stages={"patches": StageConfig(epochs=50, learning_rate=1e-4, batch_size=8)},
        select_class="malignant",
    )


def patch_densenet_small() -> TrainConfig:
    """A small DenseNet on patches of 32 pixels of 0.56 mm, which show as much of a breast as the published ones.

    Command   mammoseg phantom --exams 200 --out study
              mammoseg train --recipe patch_densenet_small --manifest study/manifest.csv --out patches
              mammoseg heatmaps --checkpoint patches --manifest patches/manifest.csv --out heatmaps
    """
    network = PatchDenseNetConfig(
        blocks=(3, 4, 4), growth=12, stem_width=16, stem_pool=False, channels_in=1, patch_px=32, stride_px=9
    )
    return TrainConfig(
        model="patch_densenet",
        network=network,
        objective=ObjectiveConfig(patches=16),
        prep=PrepConfig(window=(368, 240), pixel_mm=0.56, opening_px=12, buffer_px=6),
        augment=AugmentConfig(location_px=(12, 12), size_px=12),
        stages={"patches": StageConfig(epochs=10, learning_rate=2e-3, schedule="one_cycle", batch_size=8)},
        precision="auto",
    )
