"""What the frozen model of the stages before gives a stage: patches, outlines, features; once, for every image, kept in the
stage's folder."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from mammoseg.config import Config
from mammoseg.data.dataset import WindowDataset
from mammoseg.nn.contract import Stage
from mammoseg.progress import Bar
from mammoseg.training.distributed import in_first
from mammoseg.training.extract import Extractor, load_outlines, load_patches, save_table
from mammoseg.training.features import FeatureFiles
from mammoseg.training.progress import Plan

PATCHES, OUTLINES = "patches.csv", "outlines.csv"
FEATURES = "features"
"""Files, and a folder of some, in the folder of a stage. They do not say whose they are."""


def forget_chosen(folder: Path) -> None:
    """Of the stage with this folder."""
    for name in (PATCHES, OUTLINES):
        (folder / name).unlink(missing_ok=True)
    FeatureFiles(folder / FEATURES).forget()


def with_chosen(
    stage: Stage,
    model: nn.Module,
    objective: Config,
    data: tuple[WindowDataset, WindowDataset],
    folder: Path,
    plan: Plan,
    batch_size: int,
    device: torch.device,
    workers: int,
) -> tuple[WindowDataset, WindowDataset]:
    """The data of training and validation with what the stage asks for, which is chosen unless that is done for every image."""
    train, val = data
    every = WindowDataset([*train.rows, *val.rows], train.cache, classes=train.classes, views=train.views)

    def choose(what: str, extract: Callable[[Extractor, Stage], pd.DataFrame], path: Path) -> None:
        with Bar(plan.title_of(what, stage.name), len(every)) as bar:
            table = extract(Extractor(model, objective, every, batch_size, device, workers, bar.advance), stage)
        in_first(lambda: save_table(table, path))

    if stage.extracts is not None:
        path = folder / PATCHES
        centres, side = in_first(lambda: load_patches(path) if path.is_file() else ({}, 0))
        counts = {len(centres.get(row.image_id, ())) for row in every.rows}
        if len(counts) > 1 or 0 in counts:
            choose("patches", Extractor.patches, path)
            centres, side = load_patches(path)
        train, val = train.with_patches(side, centres), val.with_patches(side, centres)
    if stage.outlines is not None:
        path = folder / OUTLINES
        if not in_first(path.is_file):
            choose("outlines", Extractor.outlines, path)
        outlines = load_outlines(path)
        train, val = train.with_outlines(outlines), val.with_outlines(outlines)
    if stage.precomputes is not None:
        files = FeatureFiles(folder / FEATURES)
        missing = in_first(lambda: [row for row in every.rows if row.image_id not in files])
        if missing:
            unseen = WindowDataset(missing, every.cache, classes=every.classes)
            with Bar(plan.title_of("features", stage.name), len(missing)) as bar:
                Extractor(model, objective, unseen, 1, device, workers, bar.advance).features(stage, files)
        train, val = train.with_features(files), val.with_features(files)
    return train, val
