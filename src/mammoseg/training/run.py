"""A whole training run: every stage in order, each from the best epoch of the one before.

    RUN/config.yaml              the resolved configuration
    RUN/manifest.csv             the images with the splits that were used
    RUN/run.json                 what the run is of: a folder is not used for two
    RUN/errors.csv               images that could not be prepared
    RUN/cache/                   prepared images; may be deleted
    RUN/stages/NAME/             checkpoint/ when the stage is done; last.ckpt, best-N.ckpt, features/ while it runs; patches.csv
    RUN/logs/NAME/               TensorBoard files, version_N/metrics.csv for attempt N, maps/ of the same images after each epoch
    RUN/training.html            curves and maps of all stages, while it runs and after
    RUN/checkpoint/              the result

A run that was stopped, however hard, continues where it was when the same command is given again. Of several processes the
first one writes (training/distributed.py).
"""

import json
import logging
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

import mammoseg
from mammoseg.bounded import read_json
from mammoseg.config import to_yaml
from mammoseg.data.cache import CropCache
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.domain import domain_of
from mammoseg.data.learned import Patients
from mammoseg.data.load import check_heatmaps
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.data.window_fit import check_window
from mammoseg.io.atomic import write_text
from mammoseg.io.failures import Failures
from mammoseg.io.outputs import writing_to
from mammoseg.models import build_model, load_model_plugin, seen_by
from mammoseg.nn.checkpoint import CheckpointError, open_checkpoint, save_checkpoint
from mammoseg.nn.contract import Learning, NetworkConfig, Stage
from mammoseg.nn.layout import use_channels_last
from mammoseg.nn.recompute import recompute_blocks
from mammoseg.prep.window import WindowNoise
from mammoseg.training.chosen import FEATURES, forget_chosen, with_chosen
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.distributed import in_first, is_first, together
from mammoseg.training.features import FeatureFiles
from mammoseg.training.fit import fit_stage
from mammoseg.training.init import PretrainedTrunk, Start, fill_start, pretrained_trunks, start_hashes
from mammoseg.training.logs import Logs
from mammoseg.training.material import (
    SPLITS,
    count_masked,
    of_views,
    prepared,
    with_known_classes,
    with_splits,
)
from mammoseg.training.module import StageModule, TrainingError
from mammoseg.training.progress import Plan
from mammoseg.training.resume import check_own, run_digest
from mammoseg.training.selection import choose_criterion
from mammoseg.training.watch import PAGE

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingResult:
    checkpoint: Path
    """Folder of the trained model."""
    failed: int
    """Images that could not be prepared and were left out; they stand in RUN/errors.csv."""


def train(
    config: TrainConfig,
    manifest: Manifest,
    out: Path,
    device: torch.device,
    workers: int = 0,
    overwrite: bool = False,
    cache_folder: Path | None = None,
) -> TrainingResult:
    """Train `config.model` on the `train` rows of a manifest, select on its `val` rows; `test` rows are not touched.

    A manifest without splits gets seeded patient-level ones; one without val gets a part of its train patients as val.
    Labels and masks of classes the model does not predict take no part: what is balanced and what decides is the model's
    own. Masks are only used to select epochs, those of training images are not opened. A finished run is returned as it
    is. Raises ValueError subclasses for a folder of another run, missing or leaking splits, missing heatmaps, no usable
    images, images that do not fit the window, and a loss that is not finite; OSError if the disk is full; and as `writing_to`
    does, which holds `out`, and `together`, if torchrun has started several processes.
    """
    with together(device) as device:
        config, manifest = with_known_classes(
            config, with_splits(config, manifest.with_classes(config.network.classes))
        )
        torch.manual_seed(config.seed)
        model = build_model(config.model, config.network)
        sees = seen_by(config.model, config.network)
        rows = of_views([row for row in manifest.rows(config.network.classes) if row.split in SPLITS], sees.views)
        check_heatmaps(rows, sees.heatmaps, manifest.path)
        start = Start(config.init, config.model, config.network) if config.init else None
        run = _Run(config, manifest, out, device, workers, start, pretrained_trunks(config.pretrained, model))
        stages = [f"stages/{stage.name}" for stage in run.stages]
        parts = ("checkpoint", *stages, *(f"{stage}/checkpoint" for stage in stages), "failures")
        with writing_to(out, *parts) if is_first() else nullcontext():
            in_first(lambda: run.check_folder(overwrite))
            if in_first(run.is_done):
                return TrainingResult(run.result, len(Failures(out).image_ids()))
            cache = CropCache(cache_folder or out / "cache", config.prep, sees.heatmaps)
            return TrainingResult(run.result, _train(run, model, rows, cache))


def _train(run: "_Run", model: nn.Module, rows: list[ImageRow], cache: CropCache) -> int:
    """All stages; returns how many images could not be prepared."""
    config, out, workers, classes = run.config, run.out, run.workers, run.config.network.classes
    run.fill(model)
    views, targets = seen_by(config.model, config.network).views, run.learning.learns_from
    failures = Failures(out)
    usable = in_first(lambda: prepared(rows, cache, workers, failures, not {"masks", "boxes"}.isdisjoint(targets)))
    failed = len(rows) - len(usable)
    if failed:
        logger.warning("%d of %d images could not be prepared and are left out: %s", failed, len(rows), failures.table)
    train_rows, val_rows = ([r for r in rows if r.split == split and r.image_id in usable] for split in SPLITS)
    if not train_rows or (run.stages and not val_rows):
        raise TrainingError(
            f"{out}: {len(train_rows)} images of split train and {len(val_rows)} of val are usable, {failed} could not be "
            f"prepared. Expected at least one of each. The reasons stand in {failures.table}."
        )
    facts = [[known for row in part if (known := cache.facts(row))] for part in (train_rows, val_rows)]
    check_window([*facts[0], *facts[1]], config.prep, str(run.manifest.path))
    own = [Patients.of((row.patient_id for row in train_rows), run.digest)] if run.stages else []
    patients = (*own, *(run.start.patients if run.start else ()))
    trained_on = domain_of(facts[0], [row.manufacturer for row in train_rows]).model_copy(update={"patients": patients})
    run.trained_on = trained_on.model_dump(mode="json")
    noise = WindowNoise(config.augment.location_px, config.augment.size_px)
    train_data = WindowDataset(train_rows, cache, noise, config.seed, classes, targets, views, warp=config.augment.warp)
    val_data = WindowDataset(val_rows, cache, None, 0, classes, targets, views)
    masked = count_masked(val_data, config.deciding)
    criteria = {
        order: choose_criterion(config.select_by, order, val_rows, config.deciding, masked)
        for order in {stage.judged_by for stage in run.stages}
    }
    in_first(run.claim_folder)
    use_channels_last(model)
    if config.recompute:
        recompute_blocks(model)
    if not run.stages:
        logger.info("%s learns nothing: the checkpoint holds its settings and how images are prepared", config.model)
    for stage in run.stages:
        run.stage(stage, model, train_data, val_data, criteria[stage.judged_by])
    run.finish(model)
    return failed


class _Run:
    """The folder of a run and what every stage needs."""

    def __init__(
        self,
        config: TrainConfig,
        manifest: Manifest,
        out: Path,
        device: torch.device,
        workers: int,
        start: Start | None = None,
        pretrained: Sequence[PretrainedTrunk] = (),
    ) -> None:
        self.config = config
        self.manifest = manifest
        self.out = out
        self.device = device
        self.workers = workers
        self.start = start
        self.pretrained = pretrained
        self.frozen: frozenset[str] = frozenset()
        self.trained_on: dict[str, Any] | None = None
        """What the checkpoints say of the training images."""
        self.learning: Learning = load_model_plugin(config.model).LEARNING
        self.stages = self.learning.stages_of(config.network)
        self.plan = Plan(self.stages, {stage.name: self._settings(stage).epochs for stage in self.stages})
        self.logs = Logs(out / "logs", config.wandb, config.model_dump(mode="json", exclude={"init", "pretrained"}))
        self.result = out / "checkpoint"
        self.marker = out / "run.json"
        self.identity = {
            "config": config.model_dump(mode="json", exclude=config.beside),
            "manifest_sha256": manifest.sha256(),
            "splits_sha256": manifest.sha256(splits=True),
            "started_from": start_hashes(start, pretrained),
        }
        self.digest = run_digest(self.identity)

    def fill(self, model: nn.Module) -> None:
        """Give `model` the weights that the run starts from, and find what no stage trains."""
        self.frozen = fill_start(model, self.start, self.pretrained, self.config.frozen, keeps=self.learning.keeps)

    def check_folder(self, overwrite: bool) -> None:
        """Make sure that the folder is new or of this very run. With `overwrite` an earlier run is deleted."""
        is_run = self.marker.is_file() or any((self.out / "stages" / stage.name).is_dir() for stage in self.stages)
        if overwrite and is_run:
            for name in ("stages", "logs", "checkpoint"):
                if (self.out / name).is_dir():
                    shutil.rmtree(self.out / name)
            Failures(self.out).clear()
            (self.out / PAGE).unlink(missing_ok=True)
            self.marker.unlink(missing_ok=True)  # last, so that a kill leaves nothing that looks like a new run
        elif not self.marker.is_file():
            for stage in self.stages:  # what was chosen does not say whose it is; all else does, and is checked
                forget_chosen(self.out / "stages" / stage.name)
        elif self._known() != self.identity:
            raise TrainingError(
                f"{self.out}: holds a run with another configuration or manifest. Choose a new folder, give the same "
                "arguments to continue that run, or --overwrite to discard it."
            )

    def _known(self) -> Any:
        try:
            return read_json(self.marker)
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"{self.marker}: damaged ({error}). Expected the configuration of the run. Delete this file and give the same "
                "command again: what the run has done carries its configuration, and is kept if it is the same."
            ) from None

    def claim_folder(self) -> None:
        write_text(self.out / "config.yaml", to_yaml(self.config))
        self.manifest.to_csv(self.out / "manifest.csv")
        write_text(self.marker, json.dumps(self.identity, indent=2) + "\n")

    def is_done(self) -> bool:
        """Whether the result of this run is there and whole."""
        try:
            return self.marker.is_file() and open_checkpoint(self.result).provenance.get("run") == self.digest
        except CheckpointError:
            return False

    def stage(self, stage: Stage, model: nn.Module, train: WindowDataset, val: WindowDataset, criterion: str) -> None:
        """Train one stage, or take its result if it is done. Leaves the best epoch's weights in `model`."""
        folder = self.out / "stages" / stage.name
        if in_first((folder / "checkpoint" / "checkpoint.json").is_file):
            checkpoint = open_checkpoint(folder / "checkpoint")
            check_own(checkpoint, self.digest)
            checkpoint.load_weights(model)
            logger.info("%s: done before, taken from %s", self.plan.title(stage.name), folder)
            self.plan.set_done(stage.name, self.plan.epochs[stage.name])
        else:
            settings = self._settings(stage)
            train, val = with_chosen(
                *(stage, model, self.config.objective, (train, val), folder, self.plan),
                *(settings.batch_size, self.device, self.workers),
            )
            module = StageModule(
                *(model, stage, settings, self.config.objective, val, criterion, self.config.seed),
                self.config.deciding,
                self.learning.collate,
                self.frozen,
            )
            precision = self.config.precision
            best = fit_stage(
                *(module, train, val, folder, self.logs, self.device, self.workers, precision, self.plan, self.digest),
                self.config.select_smoothing,
            )
            what = {"stage": stage.name, "criterion": criterion, "best": best}
            in_first(lambda: self._save(model, folder / "checkpoint", stage.leaves(self.config.network), what))
        for path in folder.glob("*.ckpt") if is_first() else ():  # half-written ones of a killed run too
            path.unlink()
        if is_first():
            FeatureFiles(folder / FEATURES).forget()

    def _settings(self, stage: Stage) -> StageConfig:
        return self.config.stages.get(stage.name, StageConfig())

    def finish(self, model: nn.Module) -> None:
        """Write the result."""
        provenance = {
            "mammoseg": mammoseg.__version__,
            "torch": torch.__version__,
            "manifest_sha256": self.identity["manifest_sha256"],
            "training": self.config.model_dump(mode="json", exclude={"network", "prep"}),
        }
        in_first(lambda: self._save(model, self.result, self.config.network, provenance))

    def _save(self, model: nn.Module, folder: Path, network: NetworkConfig, provenance: dict[str, Any]) -> None:
        seen, prep = network.model_dump(mode="json"), self.config.prep.model_dump(mode="json")
        provenance = {
            **provenance,
            "run": self.digest,
            "started_from": self.identity["started_from"],
            **({"init": self.start.record} if self.start else {}),
        }
        save_checkpoint(folder, self.config.model, model, seen, prep, provenance, self.trained_on)
