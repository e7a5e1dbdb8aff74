"""A page about a run while it goes on: RUN/training.html, with the curves of all stages, and the maps of the same few validation
images after every epoch. It opens without a network, and reads the log files alone. Charts are drawn here: figures of matplotlib
take a quarter of a second for each stage after every epoch.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import quote

import cv2
import numpy as np
import pandas as pd

from mammoseg.drawing.html import page
from mammoseg.drawing.panels import Panel, arranged
from mammoseg.drawing.tint import tinted
from mammoseg.io.atomic import write_text
from mammoseg.records.colours import looks
from mammoseg.training.lightning import Callback, L
from mammoseg.training.module import Shown, StageModule

PAGE = "training.html"
MAPS = "maps"
"""Folder of a stage's pictures, in its folder of logs."""
_STYLE = """
img { max-width: 100%; display: block } figcaption { font-weight: 600 } .charts { display: flex; flex-wrap: wrap; gap: 1rem }
.charts ul { list-style: none; margin: 0; padding-left: 2.5rem; font-size: 12px }
"""
_LOSSES = ("train/loss", "val/loss")
_LINES = ("", "6 3", "2 3", "8 3 2 3")
"""Dashes of SVG."""
_WIDE, _HIGH, _LEFT = 320, 220, 44
"""Pixels of a chart, and those left of it."""


@dataclass(frozen=True)
class Curve:
    """A line of a chart."""

    label: str
    colour: str
    dashes: str
    values: pd.Series


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
    """Empty, if the attempt was killed while it wrote."""
    try:
        table = pd.read_csv(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError):
        return pd.DataFrame()
    return table if {"epoch", *_LOSSES} <= {*table} else pd.DataFrame()


def _begun(folder: Path) -> float:
    return min((path.stat().st_mtime for path in folder.glob("version_0/*")), default=0.0)


def _curves(table: pd.DataFrame) -> str:
    """Losses, and scores of validation."""
    losses = [Curve(name, "#333333", line, table[name]) for name, line in zip(_LOSSES, (_LINES[1], ""), strict=True)]
    charts = [_chart("loss", table["epoch"], losses)]
    for kind in ("auc", "dice", "peak", "moves"):
        if curves := _scores(kind, table):
            charts.append(_chart(f"{kind}, validation", table["epoch"], curves, (0.0, 1.0)))
    return f"<div class='charts'>{''.join(charts)}</div>"


def _scores(kind: str, table: pd.DataFrame) -> list[Curve]:
    """`val/auc_benign` of the model, `val/global/auc_benign` of its parts: a colour for each class, a line for each part."""
    found = [match for column in table if (match := re.fullmatch(rf"val/(?:(\w+)/)?{kind}_(\w+)", str(column)))]
    seen = looks(dict.fromkeys(match[2] for match in found))
    parts = list(dict.fromkeys(match[1] for match in found))
    return [
        Curve(
            f"{match[2]}, {match[1]}" if match[1] else match[2],
            seen[match[2]].on_light,
            _LINES[parts.index(match[1]) % len(_LINES)],
            table[match[0]],
        )
        for match in found
    ]


def _chart(title: str, epochs: pd.Series, curves: Sequence[Curve], span: tuple[float, float] | None = None) -> str:
    """As SVG, with its legend. `span`: of the vertical axis, without one that of the values."""
    values = np.concatenate([curve.values.to_numpy(float) for curve in curves])
    finite = values[np.isfinite(values)]
    low, high = span or ((finite.min(), finite.max()) if finite.size else (0.0, 1.0))
    first, last = int(epochs.min()), int(epochs.max())
    xs = _LEFT + (epochs.to_numpy(float) - first) / max(1, last - first) * (_WIDE - _LEFT - 8)
    parts, legend = [], []
    for curve in curves:
        ys = _HIGH - 20 - (curve.values.to_numpy(float) - low) / max(high - low, 1e-9) * (_HIGH - 46)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True) if np.isfinite(y))
        style = f"fill='none' stroke='{curve.colour}' stroke-width='1.6' stroke-dasharray='{curve.dashes}'"
        parts.append(f"<polyline points='{points}' {style}/>")
        parts += [
            f"<circle cx='{p.partition(',')[0]}' cy='{p.partition(',')[2]}' r='2' fill='{curve.colour}'/>"
            for p in points.split()
        ]
        line = f"<svg width='28' height='8'><line x1='0' x2='28' y1='4' y2='4' {style}/></svg>"
        legend.append(f"<li>{line} {html.escape(curve.label)}</li>")
    for value in (low, (low + high) / 2, high):
        y = _HIGH - 20 - (value - low) / max(high - low, 1e-9) * (_HIGH - 46)
        parts.append(f"<text x='{_LEFT - 5}' y='{y + 4:.1f}' text-anchor='end'>{value:.3g}</text>")
        parts.append(f"<line x1='{_LEFT}' x2='{_WIDE - 8}' y1='{y:.1f}' y2='{y:.1f}' stroke='#ddd'/>")
    for epoch, x in ((first, _LEFT), (last, _WIDE - 8)) if last > first else ((first, _LEFT),):
        parts.append(f"<text x='{x}' y='{_HIGH - 4}' text-anchor='middle'>{epoch}</text>")
    parts.append(f"<text x='{_LEFT}' y='14' font-weight='600'>{html.escape(title)}</text>")
    size = f"width='{_WIDE}' height='{_HIGH}' viewBox='0 0 {_WIDE} {_HIGH}' font-size='11'"
    name = f"{html.escape(title)} by epoch"
    return f"<div><svg role='img' aria-label='{name}' {size}>{''.join(parts)}</svg><ul>{''.join(legend)}</ul></div>"
