"""The arms of `study.py`: what is trained, and which map and score of it make a row of the table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mammoseg.inference.engine import Array, Engine, Inputs, Outputs
from mammoseg.models.glam.config import GlamConfig, GlobalConfig, LocalConfig, ObjectiveConfig
from mammoseg.models.glam.grow import outline
from mammoseg.models.gmic.config import GmicConfig
from mammoseg.recipes.glam import glam_small
from mammoseg.recipes.gmic import gmic_small
from mammoseg.recipes.unet import unet_small
from mammoseg.training.config import TrainConfig

REFERENCE = "GMIC"
EPOCHS = {"global": 6, "local": 2, "joint": 1, "student": 5}
"""Of the stages of GLAM."""
JOINT = "stages/joint/checkpoint"
"""GLAM before its student; its predictions have the maps of `Grown`, too."""


@dataclass(frozen=True)
class Arm:
    """A row of the table."""

    name: str
    run: str
    checkpoint: str = "checkpoint"
    """Its place in the folder of the run."""
    map: str = "saliency"
    part: str = "final"
    """Whose score; "": it has none."""
    sets: tuple[str, ...] = ()
    """Settings with which the checkpoint predicts."""

    @property
    def predictions(self) -> str:
        """Name of their folder: arms that differ only in map or part share it."""
        return "-".join([self.checkpoint, *self.sets]).replace("/", "-")


ARMS = (
    Arm("random map", "gmic", map="random", part=""),
    Arm("contour without learning", "ours", JOINT, "unlearned", ""),
    Arm(REFERENCE, "gmic"),
    Arm("GMIC, our head", "gmic_ours"),
    Arm("GLAM, papers' heads", "papers"),
    Arm("GLAM, our heads: global module", "ours", JOINT, "global", "global"),
    Arm("GLAM, our heads: local module", "ours", JOINT, "local", "local"),
    Arm("GLAM, our heads", "ours", JOINT),
    Arm("GLAM, our heads, contour grown", "ours", JOINT, "grown"),
    Arm("GLAM, our heads, and student", "ours"),
    Arm("U-Net with masks", "unet"),
)
_POOLING: Mapping[str, dict[str, Any]] = {
    "max": {"pooling": "max"},
    **{f"top {t:.0%}": {"top_t": t} for t in (0.01, 0.02, 0.03, 0.1, 0.2)},
    "mean": {"pooling": "average"},
}
"""The top 5 % is in `ARMS`."""


def _pooled(name: str) -> str:
    return f"gmic_{name}".replace(" ", "_").replace("%", "")


ABLATION = (
    Arm("GLAM, papers' heads, concatenation", "papers_concatenation"),
    *(Arm(f"GMIC, {name}", _pooled(name)) for name in _POOLING),
    *(Arm(f"GLAM, our heads, K = {k}", "ours", JOINT, sets=(f"num_patches={k}",)) for k in (1, 2, 4)),
)


def runs() -> dict[str, TrainConfig]:
    """GMIC has as many epochs as all stages of GLAM without a student together; the U-Net twice those of the student."""
    ours, gmic, unet = our_glam(), gmic_small(), unet_small()
    epochs = sum(epochs for name, epochs in EPOCHS.items() if name != "student")
    gmic.stages["joint"] = gmic.stages["joint"].model_copy(update={"epochs": epochs})
    unet.stages["masks"] = unet.stages["masks"].model_copy(update={"epochs": 2 * EPOCHS["student"]})
    return {
        "gmic": gmic,
        "gmic_ours": gmic_with_our_head(gmic),
        "ours": ours,
        "unet": unet,
        "papers": papers_glam("attention"),
    }


def our_glam() -> TrainConfig:
    small = glam_small()
    stages = {name: stage.model_copy(update={"epochs": EPOCHS[name]}) for name, stage in small.stages.items()}
    return small.model_copy(update={"stages": stages})


def gmic_with_our_head(gmic: TrainConfig) -> TrainConfig:
    """GMIC with the head, the share of cells and the penalty of our GLAM."""
    ours = our_glam()
    assert isinstance(gmic.network, GmicConfig)
    assert isinstance(ours.network, GlamConfig)
    assert isinstance(ours.objective, ObjectiveConfig)
    module = gmic.network.global_module.model_copy(update={"heads": ours.network.global_module.heads, "top_t": 0.02})
    objective = gmic.objective.model_copy(
        update={"sparsity": ours.objective.global_sparsity, "equivariance": ours.objective.equivariance}
    )
    network = gmic.network.model_copy(update={"global_module": module})
    return gmic.model_copy(update={"network": network, "objective": objective})


def ablation_runs() -> dict[str, TrainConfig]:
    gmic = runs()["gmic"]
    assert isinstance(gmic.network, GmicConfig)
    found = {"papers_concatenation": papers_glam("concatenation")}
    for name, changes in _POOLING.items():
        module = gmic.network.global_module.model_copy(update=changes)
        network = gmic.network.model_copy(update={"global_module": module})
        found[_pooled(name)] = gmic.model_copy(update={"network": network})
    return found


def papers_glam(aggregation: str) -> TrainConfig:
    """Ours with the heads, pooling, aggregation and final map of the papers, at the rates that suited them best."""
    ours = our_glam()
    assert isinstance(ours.network, GlamConfig)
    network = GlamConfig(
        global_module=GlobalConfig(widths=(16, 16, 32, 64, 128), strides=(2, 1, 1, 2, 2), stem_pool=False, top_t=0.1),
        local_module=LocalConfig.model_validate(
            {
                "blocks": (1, 1, 1),
                "widths": (16, 32, 64),
                "strides": (1, 1, 1),
                "stem_pool": False,
                "channels_in": 1,
                "top_t": 0.1,
                "aggregation": aggregation,
            }
        ),
        patch_px=ours.network.patch_px,
    )
    stages = {name: stage for name, stage in ours.stages.items() if name != "student"}
    stages["global"] = stages["global"].model_copy(update={"learning_rate": 6e-4})
    objective = ObjectiveConfig(global_sparsity=0.01, local_sparsity=0.02, reduction="mean")
    return ours.model_copy(update={"network": network, "objective": objective, "stages": stages})


class Grown(Engine):
    """The outlines that another engine's map, or no map at all, points at (models/glam/grow.py), as maps: 1 inside, 0 outside."""

    MAPS = ("grown", "unlearned")

    def __init__(self, engine: Engine, radii_px: tuple[float, float] = (5.0, 27.0)) -> None:
        self.engine, self.radii_px = engine, radii_px
        self.classes, self.prep, self.sees = engine.classes, engine.prep, engine.sees

    def description(self) -> dict[str, Any]:
        return self.engine.description() | {"outlines_of_radius_px": list(self.radii_px)}

    def __call__(self, inputs: Inputs) -> Outputs:
        out = self.engine(inputs)
        equal = np.ones((len(self.classes), 1, 1), np.float32)
        grown, unlearned = [], []
        for (image_HW, *_), S_Khw in zip(inputs.image_BCHW, out.maps["saliency"], strict=True):
            grown.append(self._outlined(image_HW, S_Khw))
            unlearned.append(self._outlined(image_HW, equal))
        return out._replace(maps=dict(out.maps) | {"grown": np.stack(grown), "unlearned": np.stack(unlearned)})

    def _outlined(self, image_HW: Array, S_Khw: Array) -> Array:
        masks = np.zeros((len(S_Khw), *image_HW.shape), np.float32)
        for mask_HW, S_hw in zip(masks, S_Khw, strict=True):
            corners_N2 = outline(image_HW, S_hw, self.radii_px)
            if corners_N2 is not None:
                cv2.fillPoly(mask_HW, [np.floor(corners_N2[:, ::-1]).astype(np.int32)], 1)
        return masks
