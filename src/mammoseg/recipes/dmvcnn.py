"""Training runs of DMV-CNN, each a function that returns the whole configuration.

Image-wise instead of view-wise: --set network.fusion=image_wise. With the heatmaps of a patch classifier, which the manifest names
(columns benign_heatmap, malignant_heatmap): --set network.heatmaps=true.
"""

from mammoseg.models.dmvcnn.config import WINDOWS, DmvCnnConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig


def dmvcnn_paper() -> TrainConfig:
    """DMV-CNN as published: the four views of an exam in windows of 2677 x 1942 (CC) and 2974 x 1748 (MLO).

    Rate, L2 and batches of four exams are those that are reported of the paper; we have not seen its code for training. Its
    networks have learned BI-RADS before (docs/how-to/paper.md has the commands); this is one run from random weights.

    Command   mammoseg train --recipe dmvcnn_paper --manifest M --out RUN --device cuda
    """
    return TrainConfig(
        model="dmvcnn",
        network=DmvCnnConfig(),
        prep=PrepConfig(windows=WINDOWS, pixel_mm=0.07),
        stages={"joint": StageConfig(epochs=50, learning_rate=1e-5, weight_decay=10**-4.5, batch_size=4)},
        select_by="auc",
        select_class="malignant",
        chronological=True,
    )


def dmvcnn_small() -> TrainConfig:
    """DMV-CNN for a laptop: windows of 336 x 240 (CC) and 368 x 216 (MLO) pixels of 0.56 mm.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe dmvcnn_small --manifest study/manifest.csv --out run
    """
    network = DmvCnnConfig(
        windows={"CC": (336, 240), "MLO": (368, 216)},
        blocks=(2, 2, 2, 2),
        widths=(16, 32, 64, 128),
        strides=(1, 2, 2, 2),
        stem_pool=False,
    )
    return TrainConfig(
        model="dmvcnn",
        network=network,
        prep=PrepConfig(windows=network.windows, pixel_mm=0.56, opening_px=12, buffer_px=6),
        augment=AugmentConfig(location_px=(12, 12), size_px=12),
        stages={"joint": StageConfig(epochs=20, learning_rate=6e-4, schedule="one_cycle", batch_size=4)},
        precision="auto",
    )
