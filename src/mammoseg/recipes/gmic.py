"""Training runs of GMIC, each a function that returns the whole configuration."""

from mammoseg.data.warp import WarpConfig
from mammoseg.models.gmic.config import GlobalConfig, GmicConfig, LocalConfig, ObjectiveConfig
from mammoseg.models.gmic.published import CBIS
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig


def gmic_paper() -> TrainConfig:
    """GMIC as published: 2944 x 1920 windows, ResNet-22 and ResNet-18, six patches of 256 pixels; sparsity of model 1.

    The paper starts from a network trained on BI-RADS and keeps the best of thirty random settings (docs/how-to/paper.md has the
    commands); this is one run from random weights, at the highest rate of the paper's range: that of model 1, 4.1e-6, is one for
    weights that have learned before. Images are resampled to 0.07 mm, the pixels of most published training images; the
    published models saw pixels as stored.

    Command   mammoseg train --recipe gmic_paper --manifest M --out RUN --device cuda
    """
    joint = StageConfig(epochs=50, learning_rate=1e-4, batch_size=16, whole_exams=True)
    prep = PrepConfig(pixel_mm=0.07)
    return TrainConfig(
        model="gmic",
        network=GmicConfig(),
        prep=prep,
        stages={"joint": joint},
        select_by="auc",
        select_class="malignant",
        chronological=True,
    )


def gmic_cbis_paper() -> TrainConfig:
    """GMIC for CBIS-DDSM: whole breasts resized to 2944 x 1920, a ResNet-18 as global network, malignant only; images mirrored,
    turned, scaled and sheared.

    Command   mammoseg train --recipe gmic_cbis_paper --manifest M --out RUN --device cuda
    """
    prep = PrepConfig(fit="resize", intensity="unit")
    augment = AugmentConfig(location_px=(0, 0), size_px=0, warp=WarpConfig())
    paper = gmic_paper()
    stages = {name: stage.model_copy(update={"whole_exams": False}) for name, stage in paper.stages.items()}
    return paper.model_copy(update={"network": CBIS, "prep": prep, "augment": augment, "stages": stages})


def gmic_heatmap_paper() -> TrainConfig:
    """GMIC whose global module sees the heatmaps of a patch classifier beside the mammogram (docs/how-to/heatmaps.md).

    Command   mammoseg train --recipe gmic_heatmap_paper --manifest HEATMAPS/manifest.csv --out RUN --device cuda
    """
    return gmic_paper().model_copy(update={"network": GmicConfig(heatmaps=True)})


def gmic_small() -> TrainConfig:
    """GMIC for a laptop: 368 x 240 windows of 0.56 mm pixels with 46 x 30 cells, six patches of 48 pixels.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe gmic_small --manifest study/manifest.csv --out run
    """
    network = GmicConfig(
        global_module=GlobalConfig(
            blocks=(2, 2, 2, 2),
            widths=(16, 32, 64, 128),
            strides=(1, 2, 2, 1),
            stem_pool=False,
            top_t=0.05,
        ),
        local_module=LocalConfig(
            blocks=(1, 1, 1), widths=(16, 32, 64), strides=(1, 2, 2), stem_pool=False, channels_in=1
        ),
        patch_px=48,
    )
    return TrainConfig(
        model="gmic",
        network=network,
        objective=ObjectiveConfig(sparsity=0.01, reduction="mean"),
        prep=PrepConfig(window=(368, 240), pixel_mm=0.56, opening_px=12, buffer_px=6),
        augment=AugmentConfig(location_px=(12, 12), size_px=12),
        stages={"joint": StageConfig(epochs=20, learning_rate=6e-4, schedule="one_cycle", batch_size=8)},
        precision="auto",
    )


def gmic_heatmap_small() -> TrainConfig:
    """`gmic_small` with heatmaps, of `patch_densenet_small` for example.

    Command   mammoseg heatmaps --checkpoint patches --manifest study/manifest.csv --out heatmaps
              mammoseg train --recipe gmic_heatmap_small --manifest heatmaps/manifest.csv --out run
    """
    small = gmic_small()
    return small.model_copy(update={"network": small.network.model_copy(update={"heatmaps": True})})
