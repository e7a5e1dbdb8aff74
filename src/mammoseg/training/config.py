"""A training run in one value: data handling, network, stages, hardware."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, SerializeAsAny, model_validator

from mammoseg.config import Config
from mammoseg.data.warp import WarpConfig
from mammoseg.models import load_model_plugin, misfit
from mammoseg.nn.contract import NetworkConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.init import InitConfig

MOST_SHIFT_PX = 10_000
"""No mammogram is larger."""
Shift = Annotated[int, Field(ge=0, le=MOST_SHIFT_PX)]


class StageConfig(Config):
    """How long and how fast a stage learns."""

    epochs: int = Field(50, ge=1, le=100_000)
    """Passes over the balanced training set. Source: GMIC, Sec. 3.3."""
    learning_rate: float = Field(1e-5, gt=0)
    """Peak rate of Adam. Source: the range 10^-5.5 to 10^-4 of GMIC, Sec. 3.3."""
    weight_decay: float = Field(0.0, ge=0)
    """Weight of half the sum of squares of all that is trained, in the loss (L2). 0: none, as in the papers of GMIC and GLAM."""
    schedule: Literal["constant", "one_cycle"] = "constant"
    """Constant as in the papers, or one cycle of warm-up and cosine decay."""
    batch_size: int = Field(16, ge=1, le=4096)
    """Images in a batch. Source: four exams of four images, GMIC authors."""
    whole_exams: bool = False
    """Whether the images of an exam follow each other, so that a batch is of whole exams where all have as many images."""
    accumulate: int = Field(1, ge=1, le=4096)
    """Batches whose mean gradient is one step of Adam: 4 of 4 images are the papers' 16 where memory holds no more. Batch norm sees
    each batch alone; the last step of an epoch may be of fewer batches, and is the smaller for it."""


class AugmentConfig(Config):
    """Random displacement of the training window, in working pixels. Source: Wu et al. 2019; GMIC, Sec. 3.3.

    For `prep.fit` = `resize` the pixels are those before resizing, see there.
    """

    location_px: tuple[Shift, Shift] = (100, 100)
    """Largest shift (rows, columns)."""
    size_px: int = Field(100, ge=0, le=MOST_SHIFT_PX)
    """Largest shift of each border, after which the window is resized."""
    warp: WarpConfig | None = None
    """How the displaced window is mirrored, turned, scaled, sheared; the defaults are the paper's for CBIS-DDSM. None: not at all,
    as in the papers on their own images."""


class TrainConfig(Config):
    """Everything that decides a run, apart from the data themselves."""

    fixed: ClassVar[frozenset[str]] = frozenset({"model"})
    beside: ClassVar[set[str]] = {"recompute", "wandb"}
    """Settings that change no result: a run may be continued with others."""

    model: str = "glam"
    """Name of the model."""
    network: SerializeAsAny[NetworkConfig] = NetworkConfig()
    """The model's own configuration; without one, the published network."""
    objective: SerializeAsAny[Config] = Config()
    """What only its training needs, `Learning.objective`; without one, the model's defaults."""
    prep: PrepConfig = PrepConfig()
    """Preparation; stored in the checkpoint and used for every prediction."""
    augment: AugmentConfig = AugmentConfig()
    pretrained: dict[str, str | None] = Field(default_factory=dict)
    """Part of the network, such as `global_module`, or `trunk` itself -> ImageNet weights of its trunk: a file, or an installed
    package that holds one (published/imagenet.py); null: none, whatever the recipe says. Source: GMIC's local network, and both
    for CBIS-DDSM, start from such."""
    init: InitConfig | None = None
    """Weights to start from, those of a checkpoint; None: random ones, or `pretrained`."""
    frozen: tuple[str, ...] = ()
    """Shell patterns over parameters that no stage trains; batch norms whose parameters are all frozen keep their statistics."""
    stages: dict[str, StageConfig] = Field(default_factory=dict)
    """Stage name -> settings; stages not named here take the defaults."""
    select_by: Literal["auto", "dice", "auc"] = "auto"
    """What chooses the best epoch. `auto`: what the stage is judged by; Dice, as in GLAM, stage 1, where enough validation images
    have lesion masks (training/selection.py), else AUC."""
    select_class: str | None = None
    """The class whose Dice or AUC chooses the best epoch; None: the mean over classes. Source: both papers choose by malignant."""
    select_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share a of the score so far in the one that chooses the best epoch: s = a s + (1 - a) score. With few validation images
    the best single epoch is a lucky one. 0: each epoch by itself, as in the papers."""
    split_fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    """Training, validation, test patients for a manifest without splits. Source: GMIC, Sec. 3.1."""
    chronological: bool = False
    """Whether a manifest without splits is divided by the date of each patient's latest exam, test last, if all have one; else, and
    without, at random by patient. Source: the papers' own data are divided so."""
    seed: int = Field(0, ge=0)
    """Of initial weights, splits, sampling and augmentation."""
    recompute: bool = False
    """Whether blocks of the networks are computed a second time in the backward pass, which needs a third less memory and more
    (nn/recompute.py), at the cost of another forward pass. Changes no result."""
    wandb: str | None = None
    """Project of Weights & Biases to which scores and settings are sent (training/logs.py); None: nothing leaves the machine."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "32-true"
    """Lightning's precision name; `auto`: bf16-mixed where the processor computes in bfloat16, else 32-true."""

    @model_validator(mode="before")
    @classmethod
    def _of_its_model(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(name := values.get("model", "glam"), str):
            return values  # the check of the fields says what is wrong
        plugin = load_model_plugin(name)
        kinds = {"network": plugin.Config, "objective": plugin.LEARNING.objective}
        of_kind = {field: kind.model_validate(values.get(field, {})) for field, kind in kinds.items()}
        return {**values, **of_kind}

    @model_validator(mode="after")
    def _fits_the_window(self) -> Self:
        if problem := misfit(self.model, self.network, self.objective, self.prep):
            raise ValueError(problem)
        shift, size = self.augment.location_px, self.augment.size_px
        for window in self.prep.shapes if self.prep.fit == "cut" else ():
            if 2 * size >= min(window):
                most = (min(window) - 1) // 2
                raise ValueError(f"augment.size_px {size} could empty a window of {window}; at most {most}")
            if any(2 * most > side for most, side in zip(shift, window, strict=True)):
                raise ValueError(
                    f"augment.location_px {shift} could move a window of {window} off the breast; at most half of each side"
                )
        return self

    @model_validator(mode="after")
    def _known_class(self) -> Self:
        if self.select_class not in (None, *self.network.classes):
            raise ValueError(
                f"select_class {self.select_class!r} is none of the classes: {', '.join(self.network.classes)}"
            )
        return self

    @property
    def deciding(self) -> tuple[str, ...]:
        """The classes that choose the best epoch."""
        return (self.select_class,) if self.select_class else self.network.classes

    @model_validator(mode="after")
    def _known_stages(self) -> Self:
        known = [stage.name for stage in load_model_plugin(self.model).LEARNING.stages]
        if unknown := sorted(set(self.stages) - set(known)):
            raise ValueError(f"{self.model} has no stage {', '.join(unknown)}; its stages are {', '.join(known)}")
        return self
