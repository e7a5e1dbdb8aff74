"""Every map of one training seed of `study.py`, drawn: each scale of the global module, both modules, and what follows from them.

    python benchmarks/study_figures.py OUT FILE [--seed 0]

Two held-out images of each class: those whose map of GLAM and its student has the median Dice, and that of a quarter.
Each map is scaled to its own maximum, which stands above it; the true outline is white.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import torch
from numpy.typing import NDArray

from mammoseg.data.manifest import ImageRow, load_manifest
from mammoseg.data.masks import window_masks
from mammoseg.inference.engine import Inputs
from mammoseg.inference.engines.pytorch import TorchEngine
from mammoseg.inference.predictor import Predictor
from mammoseg.records.label import CLASSES
from study_arms import ARMS, Grown

Map = NDArray[Any]


def maps_of(row: ImageRow, name: str, engines: Mapping[str, TorchEngine]) -> tuple[Map, Map, dict[str, Map]]:
    """The window, the true mask on it, and every map of the class by its title."""
    k = CLASSES.index(name)
    loaded = Predictor(engines["joint"]).load(row)
    window_1CHW = loaded.prepared.channels(())[None]
    mask_HW = window_masks({name: row.masks[name]}, loaded.prepared.grid, row.mask_frame)[name]
    with torch.inference_mode():
        scales = engines["joint"].model.global_module(torch.from_numpy(window_1CHW)).scales  # type: ignore[operator]
    joint, student, gmic, unet = (
        engines[key](Inputs(window_1CHW)).maps for key in ("joint", "student", "gmic", "unet")
    )
    grown = Grown(engines["joint"])(Inputs(window_1CHW)).maps
    found = {f"S{n}": scale[0, k].numpy() for n, scale in enumerate(scales)}
    found |= {"global": joint["global"][0, k], "local": joint["local"][0, k], "GLAM": joint["saliency"][0, k]}
    found |= {"contour grown": grown["grown"][0, k], "student": student["saliency"][0, k]}
    found |= {"GMIC": gmic["saliency"][0, k], "U-Net (masks)": unet["saliency"][0, k]}
    return window_1CHW[0, 0], mask_HW, found


def chosen(out: Path, seed: int) -> list[tuple[str, str]]:
    """(class, image_id) of each row of the figure."""
    arm = next(arm for arm in ARMS if arm.name.endswith("student"))
    table = pd.read_csv(out / f"{arm.run}-{seed}" / "tested" / f"{arm.name}.csv").dropna(subset="image_id")
    found = []
    for name in CLASSES:
        images = table[table["class"] == name].sort_values("dice_soft")["image_id"].tolist()
        found += [(name, images[len(images) // part]) for part in (2, 4)]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    rows = {row.image_id: row for row in load_manifest(given.out / "test" / "manifest.csv").rows()}
    places = {"joint": ("ours", "stages/joint/"), "student": ("ours", ""), "gmic": ("gmic", ""), "unet": ("unet", "")}
    engines = {
        key: TorchEngine(given.out / f"{run}-{given.seed}" / f"{stage}checkpoint", "cpu")
        for key, (run, stage) in places.items()
    }
    shown = [(name, *maps_of(rows[image_id], name, engines)) for name, image_id in chosen(given.out, given.seed)]
    figure, axes = plt.subplots(len(shown), 11, figsize=(16, 2.4 * len(shown)), layout="constrained")
    for line, (name, window_HW, mask_HW, maps) in zip(axes, shown, strict=True):
        line[0].imshow(window_HW, "gray")
        line[0].set_ylabel(name)
        for ax, (title, S_hw) in zip(line[1:], maps.items(), strict=True):
            ax.imshow(
                S_hw,
                "inferno",
                extent=(0, window_HW.shape[1], window_HW.shape[0], 0),
                vmin=0,
                vmax=max(S_hw.max(), 1e-6),
            )
            ax.set_title(f"{title}\n{S_hw.max():.2f}", fontsize=8)
        for ax in line:
            ax.contour(mask_HW, [0.5], colors="white", linewidths=0.6)
            ax.set(xticks=[], yticks=[])
    figure.savefig(given.file, dpi=100)


if __name__ == "__main__":
    main()
