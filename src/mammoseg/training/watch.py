"""A page about a run while it goes on: RUN/training.html, with the curves of all stages, and the maps of the same few validation
images after every epoch. It opens without a network, and reads the log files alone.
"""

import html
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast
from urllib.parse import quote

import cv2
import lightning as L
import numpy as np
import pandas as pd
from lightning.pytorch.callbacks import Callback
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mammoseg.drawing.html import page
from mammoseg.drawing.panels import Panel, arranged
from mammoseg.drawing.tint import tinted
from mammoseg.io.atomic import write_text
from mammoseg.io.figures import save_figure
from mammoseg.records.colours import looks
from mammoseg.training.module import Shown, StageModule

PAGE = "training.html"
MAPS = "maps"
"""Folder of a stage's pictures, in its folder of logs."""
_STYLE = "img { max-width: 100%; display: block } svg { max-width: 100%; height: auto } figcaption { font-weight: 600 }"
_LOSSES = ("train/loss", "val/loss")
_LINES = ("solid", "dashed", "dotted", "dashdot")


class Watch(Callback):
    """Draws the maps of the epoch and writes the page anew. Of several processes the first one does."""

    def __init__(self, stage: str, logs: Path) -> None:
        self.stage, self.logs = stage, logs

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = cast(StageModule, pl_module)
        if not trainer.is_global_zero:
            return
        if module.shown:
            folder = self.logs / self.stage / MAPS
            folder.mkdir(parents=True, exist_ok=True)
            draw_maps(folder / f"{trainer.current_epoch + 1:04d}.png", module.shown, module.classes)
        write_page(self.logs)


def draw_maps(path: Path, shown: Sequence[Shown], classes: Sequence[str]) -> None:
    """Side by side, each map scaled to its own maximum, which is told; lesions that are known are outlined."""
    panels = []
    for image in shown:
        gray = image.image_HW
        low, high = float(gray.min()), float(np.percentile(gray, 99.8))
        levels = np.clip((gray - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
        S_HW = cv2.resize(image.map_hw, gray.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(np.float32)
        most, look = float(S_HW.max()), looks(classes)[image.label]
        picture = tinted(np.stack([levels] * 3, axis=-1), S_HW / max(most, 1e-6), look.on_dark)
        panel = Panel(picture, f"{image.label}, at most {most:.2f}: {image.image_id}")
        if image.mask_HW is not None:
            panel.outline(image.mask_HW, "#FFFFFF", look.line)
        panels.append(panel)
    arranged(panels, [], "lesions: white").save(path, "png")


def write_page(logs: Path) -> None:
    """From all that stands in the folder of logs."""
    parts = []
    for folder in sorted((f for f in logs.iterdir() if f.is_dir()), key=_begun):
        table = read_curves(folder)
        if table.empty:
            continue
        parts += [f"<h2>{html.escape(folder.name)}</h2>", _curves(table)]
        for path in sorted((folder / MAPS).glob("[0-9]*.png"), reverse=True):
            source = quote(path.relative_to(logs.parent).as_posix())
            parts.append(
                f"<figure><figcaption>after epoch {int(path.stem)}</figcaption><img src='{source}' loading='lazy' "
                f"alt='maps of validation images after epoch {int(path.stem)}'></figure>"
            )
    write_text(logs.parent / PAGE, page(f"Training of {logs.parent.resolve().name}", _STYLE, parts))


def read_curves(folder: Path) -> pd.DataFrame:
    """A row for each epoch of a stage, of the last attempt that did it."""
    files = sorted(folder.glob("version_*/metrics.csv"), key=lambda path: int(path.parent.name.split("_")[1]))
    tables = [table for path in files if not (table := _rows(path)).empty]
    if not tables:
        return pd.DataFrame()
    return pd.concat(tables).drop_duplicates("epoch", keep="last").sort_values("epoch", ignore_index=True)


def _rows(path: Path) -> pd.DataFrame:
    """None, if the attempt was killed while it wrote."""
    try:
        table = pd.read_csv(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError):
        return pd.DataFrame()
    return table if {"epoch", *_LOSSES} <= {*table} else pd.DataFrame()


def _begun(folder: Path) -> float:
    return min((path.stat().st_mtime for path in folder.glob("version_0/*")), default=0.0)


def _curves(table: pd.DataFrame) -> str:
    """Losses, and scores of validation, as SVG."""
    kinds = [kind for kind in ("auc", "dice", "peak", "moves") if any(re.search(rf"\b{kind}_", str(c)) for c in table)]
    figure = Figure(figsize=(4.2 * (1 + len(kinds)), 3.2), layout="constrained")
    losses, *scores = np.atleast_1d(figure.subplots(1, 1 + len(kinds)))
    for name, line in zip(_LOSSES, ("dashed", "solid"), strict=True):
        losses.plot(table["epoch"], table[name], color="0.2", linestyle=line, marker=".", label=name)
    losses.set(title="loss", xlabel="epoch")
    losses.xaxis.set_major_locator(MaxNLocator(integer=True))
    losses.legend(frameon=False, fontsize="small")
    for axes, kind in zip(scores, kinds, strict=True):
        _plot_scores(axes, kind, table)
    content = io.BytesIO()
    save_figure(figure, content, "svg")
    svg = content.getvalue().decode()
    return svg[svg.index("<svg") :]


def _plot_scores(axes: Axes, kind: str, table: pd.DataFrame) -> None:
    """`val/auc_benign` of the model, `val/global/auc_benign` of its parts: a colour for each class, a line for each part."""
    found = [match for column in table if (match := re.fullmatch(rf"val/(?:(\w+)/)?{kind}_(\w+)", str(column)))]
    seen = looks(dict.fromkeys(match[2] for match in found))
    parts = list(dict.fromkeys(match[1] for match in found))
    for match in found:
        line = _LINES[parts.index(match[1]) % len(_LINES)]
        label = f"{match[2]}, {match[1]}" if match[1] else match[2]
        axes.plot(
            table["epoch"], table[match[0]], color=seen[match[2]].on_light, linestyle=line, marker=".", label=label
        )
    axes.set(title=f"{kind}, validation", xlabel="epoch", ylim=(-0.02 if kind != "moves" else None, 1.02))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize="x-small")
