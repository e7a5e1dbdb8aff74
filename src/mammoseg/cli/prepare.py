"""`mammoseg prepare`: images -> cache of prepared crops, with previews."""

from typing import Annotated

import typer

from mammoseg.cli import options


def prepare(
    recipe: Annotated[str, typer.Option("--recipe", help="Recipe whose preparation is used, e.g. glam_small.")],
    manifest: options.Manifest,
    out: options.Out,
    config: options.ConfigFile = None,
    sets: options.Sets = None,
    pixel_mm: options.PixelMm = None,
    previews: Annotated[bool, typer.Option("--previews/--no-previews", help="A small picture of each window.")] = True,
    workers: options.Workers = 0,
) -> int:
    """Cut the breast out of every image, to look at and to train on.

    Writes cache/ (for `train --cache OUT/cache`), prepared.csv (window, share of the breast in it and remarks per image),
    previews/ and errors.csv.
    """
    from mammoseg.config import with_overrides
    from mammoseg.data.cache import CropCache, prepare_all
    from mammoseg.data.manifest import load_manifest
    from mammoseg.data.preview import write_prepared
    from mammoseg.data.window_fit import check_window
    from mammoseg.io.failures import Failures
    from mammoseg.io.outputs import writing_to
    from mammoseg.models import seen_by
    from mammoseg.progress import Bar
    from mammoseg.training.recipes import load_recipe

    settings = with_overrides(load_recipe(recipe), config, sets or [])
    rows = list(load_manifest(manifest).with_pixel_mm(pixel_mm).rows())
    cache = CropCache(out / "cache", settings.prep, seen_by(settings.model, settings.network).heatmaps)
    with writing_to(out, "previews", "failures"), Bar("prepare", len(rows)) as bar:
        usable = set(prepare_all(rows, cache, workers, Failures(out), bar.advance))
        ready = [row for row in rows if row.image_id in usable]
        notes = write_prepared(out, ready, cache, settings.prep, previews)
    print(f"{len(ready)} of {len(rows)} images prepared, {notes} with remarks: {out / 'prepared.csv'}")
    if len(ready) < len(rows):
        print(f"The failed images and why: {out / 'errors.csv'}")
    check_window([facts for row in ready if (facts := cache.facts(row))], settings.prep, str(manifest))
    return 0 if len(ready) == len(rows) else 3 if ready else 1
