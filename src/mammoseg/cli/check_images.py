"""`mammoseg check-images`: can a model be used on these images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mammoseg.cli import options

if TYPE_CHECKING:
    from mammoseg.data.domain import Domain
    from mammoseg.data.manifest import ImageRow
    from mammoseg.data.suitability import Suitability
    from mammoseg.prep.config import PrepConfig


def check_images(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILES", help="Images, or folders of them.")] = None,
    manifest: Annotated[Path | None, typer.Option("--manifest", "-m", help="Table of images.")] = None,
    split: options.Split = None,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="Run or checkpoint folder.")] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", help="Recipe, before anything is trained.")] = None,
    pixel_mm: options.PixelMm = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="CSV file for the results.")] = None,
    workers: options.Workers = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT.")] = False,
) -> int:
    """Check images before predict or train: readable, in the window, like the training data.

    PASS, WARN or FAIL for each image, with what to do. Exit code 3 if some images FAIL, 1 if all do.
    """
    from mammoseg.data import suitability
    from mammoseg.progress import Bar

    if bool(files) == (manifest is not None):
        raise typer.BadParameter("give image files or folders, or --manifest, one of the two", param_hint="FILES")
    if (checkpoint is None) == (recipe is None):
        raise typer.BadParameter("give one of --checkpoint and --recipe", param_hint="--checkpoint")
    if split and manifest is None:
        raise typer.BadParameter("only a manifest has splits; give one with --manifest", param_hint="--split")
    if out is not None:
        options.check_new_table(out, overwrite)
    prep, heatmaps, trained_on = _of_checkpoint(checkpoint) if checkpoint else _of_recipe(recipe or "")
    rows, checked = _given(files, pixel_mm, workers) if files else (_rows(manifest, split, pixel_mm), [])
    for each in checked:
        _show(each)
    with Bar("check", len(rows)) as bar:
        for each in suitability.check_images(rows, prep, trained_on, heatmaps, workers, bar.advance):
            _show(each)
            checked.append(each)
    _tell_reasons(checked)
    if checkpoint is not None and (told := suitability.summary_of(checked, trained_on)):
        print(told)
    results = [each.check.result for each in checked]
    print(f"{len(results)} images: " + ", ".join(f"{results.count(r)} {r}" for r in ("PASS", "WARN", "FAIL")))
    if out is not None:
        suitability.write_checks(out, checked)
        print(f"All of them: {out}")
    failed = results.count("FAIL")
    return 1 if failed == len(results) else 3 if failed else 0


def _of_checkpoint(folder: Path) -> tuple["PrepConfig", tuple[str, ...], "Domain | None"]:
    """Preparation, the classes whose heatmaps the model sees, and the training images."""
    from mammoseg.inference.trained import checkpoint_settings, training_images
    from mammoseg.models import seen_by
    from mammoseg.nn.checkpoint import open_checkpoint

    opened = open_checkpoint(folder)
    network, prep = checkpoint_settings(opened)
    return prep, seen_by(opened.model, network).heatmaps, training_images(opened)


def _of_recipe(name: str) -> tuple["PrepConfig", tuple[str, ...], None]:
    from mammoseg.models import seen_by
    from mammoseg.training.recipes import load_recipe

    settings = load_recipe(name)
    return settings.prep, seen_by(settings.model, settings.network).heatmaps, None


def _rows(manifest: Path | None, split: str | None, pixel_mm: float | None) -> list["ImageRow"]:
    from mammoseg.data.manifest import load_manifest

    if manifest is None:
        return []
    table = load_manifest(manifest).with_pixel_mm(pixel_mm)
    return list((table.subset(split) if split else table).rows())


def _given(files: list[Path], pixel_mm: float | None, workers: int) -> tuple[list["ImageRow"], list["Suitability"]]:
    """The images among files and folders, and what cannot be one; what is left out is said."""
    from collections import Counter

    from mammoseg.cli.tables import totalled
    from mammoseg.data.suitability import unusable
    from mammoseg.ingest.given import gather, look_at
    from mammoseg.progress import Bar

    gathered = gather(files, None)
    with Bar("look", len(gathered.files)) as bar:
        given = look_at(gathered, pixel_mm, workers, bar.advance)
    if given.left_out:
        print(f"Left out: {totalled(dict(Counter(seen.why for seen in given.left_out).most_common()))}")
    return given.rows, [unusable(each.image_id, each.path, each.error) for each in given.unusable]


def _show(each: "Suitability") -> None:
    check = each.check
    told = f"  {check.found}" if check.found else ""
    print(f"{check.result}  {check.subject}{told}{f'. Remedy: {check.remedy}' if check.remedy else ''}")


def _tell_reasons(checked: list["Suitability"]) -> None:
    """What was found, with the number of images."""
    from mammoseg.cli.tables import print_table
    from mammoseg.data.suitability import counts_of

    print()
    if reasons := counts_of(checked):
        print_table([{"images": str(count), "reason": reason} for reason, count in reasons.items()])
