"""One LightningModule that trains any stage of any model."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.optim import Adam
from torch.optim.lr_scheduler import OneCycleLR

from mammoseg.config import Config
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.image_row import ImageRow
from mammoseg.nn.contract import Batch, Stage, StepOutput
from mammoseg.nn.equivariance import judged_twin_of, moving
from mammoseg.training.config import StageConfig
from mammoseg.training.distributed import mean_of_all, of_all, rank, share_batch_norms, size
from mammoseg.training.lightning import L
from mammoseg.training.selection import ValidationScores

IndexedBatch = tuple[Batch, Sequence[int]]


WATCHED = 2
"""Images of each class whose maps are shown."""
MOST_WATCHED = 8
"""Of all classes."""
WATCHED_ROWS = 320
"""Of the pictures."""


class TrainingError(ValueError):
    """Training cannot go on."""


class DivergedError(TrainingError):
    """A loss is no number."""


@dataclass(frozen=True)
class Shown:
    """What the page of a run shows of a validation image after an epoch."""

    image_id: str
    label: str
    """The class of the map."""
    image_HW: NDArray[np.float32]
    """The window, reduced to at most WATCHED_ROWS rows."""
    map_hw: NDArray[np.float32]
    """Probabilities on the cells of the map."""
    mask_HW: NDArray[np.bool_] | None
    """Its lesion of that class in the pixels of the window, if known."""


class StageModule(L.LightningModule):
    """A model in one stage: what the stage does not train is frozen, batch-norm statistics included."""

    def __init__(
        self,
        model: nn.Module,
        stage: Stage,
        config: StageConfig,
        objective: Config,
        validation: WindowDataset,
        criterion: str,
        seed: int,
        deciding: Sequence[str] = (),
        collate: Callable[[Sequence[Any]], Batch] | None = None,
        frozen: Collection[str] = (),
    ) -> None:
        """`deciding`: the classes that choose the best epoch, without any all of them; `frozen`: parameters that this run trains in
        no stage. Raises TrainingError if that leaves nothing to train."""
        super().__init__()
        self.model = model
        self.classes = validation.classes
        self.stage = stage
        self.config = config
        self.objective = objective
        self.validation = validation
        self.criterion = criterion
        self.seed = seed
        self.deciding = deciding
        self.progress = 0.0
        self.collate = collate
        self.trained = set(stage.trained_parameters(model)).difference(frozen)
        if not self.trained:
            raise TrainingError(
                f"stage {stage.name}: everything that it trains is kept as it is, by `frozen` or as a part of `init`. Expected "
                "something to train. Freeze less, take fewer parts (init.parts), or train them (init.train)."
            )
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in self.trained)
        self.scores = ValidationScores(validation.rows, self.classes)
        self.validation_scores: dict[str, float] = {}
        self.watched = _watched(validation.rows, self.classes)
        self.shown: list[Shown] = []

    def train(self, mode: bool = True) -> "StageModule":
        super().train(mode)
        for module in self.model.modules():
            parameters = list(module.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                module.eval()
        return self

    def on_fit_start(self) -> None:
        self.train()  # Lightning leaves the modes as they are, and choosing patches has set all to eval

    def configure_optimizers(self) -> Any:
        optimizer = Adam(
            [p for p in self.parameters() if p.requires_grad],
            lr=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
        )
        if self.config.schedule == "constant":
            return optimizer
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = OneCycleLR(optimizer, self.config.learning_rate, total_steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_start(self, batch: Any, step: int) -> None:
        self.progress = self.trainer.global_step / self.trainer.estimated_stepping_batches

    def training_step(self, indexed: IndexedBatch, step: int) -> Tensor:
        # Patch shifts and turns follow from seed, epoch and step alone, so a resumed run repeats an uninterrupted one. (Not
        # done in on_train_epoch_start: Lightning does not call it in the first epoch of a resumed run.)
        torch.manual_seed(hash((self.seed, self.current_epoch, step * size() + rank())) % 2**63)
        batch, _ = indexed
        out = self._step(batch._replace(progress=self.progress), True)
        loss = torch.stack(list(out.losses.values())).sum()
        self._check_finite(mean_of_all(loss).item(), "loss")
        self.log_dict(
            {f"train/{name}": value for name, value in {"loss": loss, **out.losses}.items()},
            logger=False,  # EpochLog does it
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(batch.image_BCHW),
        )
        return loss

    def on_validation_epoch_start(self) -> None:
        self.shown = []
        self.scores = ValidationScores(self.validation.rows, self.classes)
        share_batch_norms(self.model)

    def validation_step(self, indexed: IndexedBatch, step: int) -> None:
        batch, indices = indexed
        out = self._step(batch, False)
        loss = torch.stack(list(out.losses.values())).sum().item()
        self._check_finite(loss, "validation loss")
        there = [b for b, index in enumerate(indices) if index >= 0]
        known = [indices[b] for b in there]
        self.scores.add(known, out.y_BK[there].float().cpu().numpy(), loss)
        for part, y_BK in out.parts.items():
            self.scores.add_part(part, known, y_BK[there].float().cpu().numpy())
        for b in there:
            masks = self.validation.masks(indices[b])
            for name, mask_HW in masks.items():
                map_11hw = out.saliency_BKhw[b, self.classes.index(name)].float()[None, None]
                self.scores.add_map(name, interpolate(map_11hw, size=mask_HW.shape)[0, 0].cpu().numpy(), mask_HW)
            if watched := self.watched.get(indices[b]):
                map_hw = out.saliency_BKhw[b, self.classes.index(watched)].float().cpu().numpy()
                image_id = self.validation.rows[indices[b]].image_id
                rows, cols = self.validation.shape(indices[b])
                window_HW = _reduced(batch.image_BCHW[b, 0, :rows, :cols])
                self.shown.append(Shown(image_id, watched, window_HW, map_hw, masks.get(watched)))
        if self.criterion != "dice":
            self._add_moving(batch, out.saliency_BKhw)

    def _add_moving(self, batch: Batch, S_BKhw: Tensor) -> None:
        """Where no mask tells: how well the maps of lesions move with their images. Not those of models that see more than an
        image, which would have to move, too."""
        shown_B, outline_BKHW = (batch.label_BK == 1).any(1), batch.outline_BKHW
        more = (batch.corners_BP2, batch.there_UV, batch.mask_BKHW, batch.boxes, batch.features)
        if not shown_B.any() or any(values is not None for values in more):
            return
        twin, label_BK = judged_twin_of(batch.image_BCHW[shown_B]), batch.label_BK[shown_B]
        outlines = None if outline_BKHW is None else twin.moved(outline_BKHW[shown_B], twin.image_BCHW)
        other = self._step(Batch(twin.image_BCHW, label_BK, outline_BKHW=outlines), False)
        moving_BK = moving(twin, S_BKhw[shown_B].float(), other.saliency_BKhw.float())
        for k, name in enumerate(self.classes):
            self.scores.add_moving(name, moving_BK[label_BK[:, k] == 1, k].tolist())

    def on_validation_epoch_end(self) -> None:
        self.shown = sorted((shown for part in of_all(self.shown) for shown in part), key=lambda shown: shown.image_id)
        self.scores.merge(of_all(self.scores.found))
        self.validation_scores = self.scores.compute(self.criterion, self.deciding)

    def _step(self, batch: Batch, training: bool) -> StepOutput:
        return self.stage.step(self.model, batch, self.objective, training)

    def _check_finite(self, loss: float, name: str) -> None:
        if not math.isfinite(loss):
            stage, rate = self.stage.name, self.config.learning_rate
            raise DivergedError(
                f"stage {stage}, epoch {self.current_epoch + 1}: the {name} is {loss}. Expected a number: training has "
                f"diverged. Start again with a lower rate than {rate:g}, for example "
                f"--set stages.{stage}.learning_rate={rate / 3:.1g} --overwrite."
            )


def _watched(rows: Sequence[ImageRow], classes: Sequence[str]) -> dict[int, str]:
    """Number of a validation image -> class, of the few whose maps are shown: those with a lesion of the class, in a mask first."""
    found: dict[int, str] = {}
    for name in classes[: MOST_WATCHED // WATCHED]:
        having = [index for index, row in enumerate(rows) if row.labels.get(name) == 1 and index not in found]
        having.sort(key=lambda index: name not in rows[index].masks)
        found |= dict.fromkeys(having[:WATCHED], name)
    return found


def _reduced(image_HW: Tensor) -> NDArray[np.float32]:
    """To at most WATCHED_ROWS rows."""
    rows = min(WATCHED_ROWS, image_HW.shape[0])
    size = rows, max(1, round(image_HW.shape[1] * rows / image_HW.shape[0]))
    small_HW: NDArray[np.float32] = (
        interpolate(image_HW[None, None].float(), size=size, mode="area")[0, 0].cpu().numpy()
    )
    return small_HW
