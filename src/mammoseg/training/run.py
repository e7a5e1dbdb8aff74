"""A whole training run: every stage in order, each from the best epoch of the one before.

    RUN/config.yaml              the resolved configuration
    RUN/manifest.csv             the images with the splits that were used
    RUN/errors.csv               images that could not be prepared
    RUN/stages/NAME/             checkpoint/ when the stage is done; last.ckpt and best.ckpt while it runs; patches.csv
    RUN/logs/                    TensorBoard and CSV
    RUN/checkpoint/              the result

A run that was stopped, however hard, continues where it was when the same command is given again.
"""

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader

import mammoseg
from mammoseg.config import to_yaml
from mammoseg.data.batching import BalancedExamSampler, InOrder
from mammoseg.data.cache import CropCache, prepare_all
from mammoseg.data.dataset import WindowDataset, collate
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.data.splits import assign_splits, check_leaks
from mammoseg.io.atomic import write_text
from mammoseg.io.ledger import Ledger
from mammoseg.models import build_model, load_model_plugin
from mammoseg.nn.checkpoint import open_checkpoint, save_checkpoint
from mammoseg.nn.contract import Stage
from mammoseg.prep.window import WindowNoise
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.extract import extract_patches, load_patches, save_patches
from mammoseg.training.module import StageModule, TrainingError
from mammoseg.training.progress import progress_callbacks, quiet_lightning
from mammoseg.training.selection import choose_criterion

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

    A manifest without splits gets seeded patient-level ones. Masks are only used to select epochs. Raises ValueError
    subclasses for a folder of another run, leaking splits, no usable images, and a loss that is not finite.
    """
    run = _Run(config, out, device, workers)
    manifest = run.open(manifest, overwrite)
    cache = CropCache(cache_folder or out / "cache", config.prep)
    rows = [row for row in manifest.rows() if row.split in ("train", "val")]
    ok = set(prepare_all(rows, cache, workers, run.ledger))
    failed = len(rows) - len(ok)
    if failed:
        logger.warning(
            "%d of %d images could not be prepared and are left out; see %s", failed, len(rows), run.ledger.path
        )
    rows_of = {split: [r for r in rows if r.split == split and r.image_id in ok] for split in ("train", "val")}
    for split, usable in rows_of.items():
        if not usable:
            raise TrainingError(
                f"no usable image in split {split!r}: {failed} failed (see {run.ledger.path}). Training needs train and val."
            )
    torch.manual_seed(config.seed)
    model = build_model(config.model, config.network)
    for stage in load_model_plugin(config.model).STAGES:
        run.stage(stage, model, rows_of["train"], rows_of["val"], cache)
    provenance = {
        "mammoseg": mammoseg.__version__,
        "torch": torch.__version__,
        "manifest_sha256": manifest.sha256(),
        "training": config.model_dump(mode="json", exclude={"network", "prep"}),
    }
    network, prep = config.network.model_dump(mode="json"), config.prep.model_dump(mode="json")
    save_checkpoint(out / "checkpoint", config.model, model, network, prep, provenance)
    return TrainingResult(out / "checkpoint", failed)


class _Run:
    """The folder of a run and what every stage needs."""

    def __init__(self, config: TrainConfig, out: Path, device: torch.device, workers: int) -> None:
        self.config = config
        self.out = out
        self.device = device
        self.workers = workers
        self.ledger = Ledger(out / "errors.csv")

    def open(self, manifest: Manifest, overwrite: bool) -> Manifest:
        """Check that the folder is new or of this very run; returns the manifest with splits."""
        if manifest.table["split"].isna().all():
            manifest = assign_splits(manifest, self.config.split_fractions, self.config.seed)
        check_leaks(manifest)
        identity = {"config": self.config.model_dump(mode="json"), "manifest_sha256": manifest.sha256()}
        marker = self.out / "run.json"
        if overwrite:
            for name in ("stages", "logs", "checkpoint"):
                shutil.rmtree(self.out / name, ignore_errors=True)
            for name in ("run.json", "errors.csv"):
                (self.out / name).unlink(missing_ok=True)
        elif marker.is_file() and json.loads(marker.read_text(encoding="utf-8")) != identity:
            raise TrainingError(
                f"{self.out}: holds a run with another configuration or manifest. Choose a new folder, give the same "
                "arguments to continue that run, or --overwrite to discard it."
            )
        self.out.mkdir(parents=True, exist_ok=True)
        write_text(self.out / "config.yaml", to_yaml(self.config))
        manifest.to_csv(self.out / "manifest.csv")
        write_text(marker, json.dumps(identity, indent=2) + "\n")
        return manifest

    def stage(
        self, stage: Stage, model: nn.Module, train: Sequence[ImageRow], val: Sequence[ImageRow], cache: CropCache
    ) -> None:
        """Train one stage, or take its result if it is done. Leaves the best epoch's weights in `model`."""
        folder = self.out / "stages" / stage.name
        if (folder / "checkpoint" / "checkpoint.json").is_file():
            open_checkpoint(folder / "checkpoint").load_weights(model)
            logger.info("Stage %s: done before, taken from %s", stage.name, folder)
            return
        folder.mkdir(parents=True, exist_ok=True)
        settings = self.config.stages.get(stage.name, StageConfig())
        augment = self.config.augment
        noise = WindowNoise(augment.location_px, augment.size_px)
        window = self.config.prep.window
        train_data = WindowDataset(train, cache, window, noise, self.config.seed)
        val_data = WindowDataset(val, cache, window)
        if stage.extracts is not None:
            self._extract(stage, model, (train_data, val_data), folder / "patches.csv", settings.batch_size)
        criterion = choose_criterion(self.config.select_by, val)
        module = StageModule(model, stage, settings, val_data, criterion, self.config.seed)
        best = self._fit(module, settings, train_data, val_data, folder)
        state = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)["state_dict"]
        module.load_state_dict(state)
        provenance = {"stage": stage.name, "criterion": criterion, "best": best}
        network, prep = self.config.network.model_dump(mode="json"), self.config.prep.model_dump(mode="json")
        save_checkpoint(folder / "checkpoint", self.config.model, model, network, prep, provenance)
        for name in ("last.ckpt", "best.ckpt"):
            (folder / name).unlink(missing_ok=True)

    def _extract(
        self, stage: Stage, model: nn.Module, data: tuple[WindowDataset, WindowDataset], path: Path, batch_size: int
    ) -> None:
        if stage.extracts is None:
            return
        patch_px = int(model.patch_px)  # type: ignore[arg-type]
        if not path.is_file():
            train, val = data
            plain = WindowDataset([*train.rows, *val.rows], train.cache, train.window)
            logger.info("Choosing patches on %d images", len(plain))
            table = extract_patches(model, stage.extracts, plain, patch_px, batch_size, self.device, self.workers)
            save_patches(table, path)
        for part in data:
            part.patch_px, part.patch_centres = patch_px, load_patches(path)

    def _fit(
        self, module: StageModule, settings: StageConfig, train: WindowDataset, val: WindowDataset, folder: Path
    ) -> dict[str, float]:
        sampler = BalancedExamSampler(train.rows, self.config.seed)
        loaders = [
            DataLoader(
                data,
                settings.batch_size,
                sampler=order,
                collate_fn=collate,
                num_workers=self.workers,
                drop_last=data is train and len(sampler) > settings.batch_size,  # no batch norm over one image
                pin_memory=self.device.type == "cuda",
            )
            for data, order in ((train, sampler), (val, InOrder(len(val))))
        ]
        keep = ModelCheckpoint(
            folder, "best", monitor="val/select", mode="max", save_top_k=1, save_last=True, enable_version_counter=False
        )
        last = folder / "last.ckpt"
        callbacks: list[Callback] = [keep, *progress_callbacks(module.stage.name, settings.epochs)]
        logs = self.out / "logs"
        with quiet_lightning():
            trainer = L.Trainer(
                accelerator="gpu" if self.device.type == "cuda" else self.device.type,
                devices=[self.device.index or 0] if self.device.type == "cuda" else 1,
                precision=self.config.precision,
                max_epochs=settings.epochs,
                callbacks=callbacks,
                logger=[TensorBoardLogger(logs, module.stage.name), CSVLogger(logs, module.stage.name)],
                enable_model_summary=False,
                num_sanity_val_steps=0,
                log_every_n_steps=1_000_000_000,  # values are logged per epoch
            )
            trainer.fit(module, loaders[0], loaders[1], ckpt_path=last if last.is_file() else None, weights_only=True)
        score = keep.best_model_score
        return {"select": float(score) if score is not None else float("nan")}
