"""What the frozen model of the stages before chooses for a stage: once, for every image, kept in the stage's folder."""

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
from mammoseg.training.progress import Plan

PATCHES, OUTLINES = "patches.csv", "outlines.csv"
"""Files in the folder of a stage. They do not say whose they are."""


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
    return train, val
