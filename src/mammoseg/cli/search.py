"""`mammoseg search`: manifest + recipe + space -> trials, and an ensemble of the best."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def search(
    recipe: Annotated[str, typer.Option("--recipe", help="Name of the recipe that is varied.")],
    space: Annotated[
        Path,
        typer.Option("--space", exists=True, dir_okay=False, help="YAML: setting -> [values] or {low, high, log}."),
    ],
    manifest: options.Manifest,
    out: options.Out,
    trials: Annotated[int, typer.Option("--trials", min=1, help="Number of runs, of all processes together.")] = 30,
    top: Annotated[int, typer.Option("--top", min=1, help="How many of the best make the ensemble.")] = 5,
    config: options.ConfigFile = None,
    sets: options.Sets = None,
    cache: Annotated[Path | None, typer.Option("--cache", help="Prepared images, as `prepare` wrote them.")] = None,
    pixel_mm: options.PixelMm = None,
    device: options.Device = "auto",
    workers: options.Workers = 0,
) -> int:
    """Random search: train with settings drawn from a space, the best on validation first.

    Start the same command on several machines with a common folder: they share the trials. A stopped search continues; a
    killed trial goes on where it was.
    """
    from mammoseg.config import read_yaml, with_overrides
    from mammoseg.data.manifest import load_manifest
    from mammoseg.nn.device import device_from
    from mammoseg.search import read_space
    from mammoseg.search import search as run
    from mammoseg.training.recipes import load_recipe

    settings = with_overrides(load_recipe(recipe), config, sets or [])
    images = load_manifest(manifest).with_pixel_mm(pixel_mm)
    tried = read_space(read_yaml(space), str(space))
    found = run(settings, tried, images, out, device_from(device), trials, top, workers, cache)
    print(
        f"{found.finished} trials finished, {found.without_score} without a score, {found.elsewhere} running elsewhere: "
        f"{found.table}"
    )
    if found.ensemble is not None:
        print(f"Ensemble of the best: mammoseg predict --checkpoint {found.ensemble}")
    if found.unprepared:
        print(f"{found.unprepared} images could not be prepared: errors.csv in the folders of the trials")
    failed = found.ensemble is None and not found.elsewhere
    return 1 if failed else 3 if found.unprepared else 0
