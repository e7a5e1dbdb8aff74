"""`mammoseg predict`: checkpoint + images -> predictions folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mammoseg.cli import options

if TYPE_CHECKING:
    from mammoseg.data.manifest import Manifest


def predict(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILES", help="DICOM files, or images named like x_L-CC.png.")
    ] = None,
    checkpoint: Annotated[
        list[Path], typer.Option("--checkpoint", help="Run or checkpoint folder. Several: their mean.")
    ] = ...,  # type: ignore[assignment]
    manifest: Annotated[Path | None, typer.Option("--manifest", "-m", help="Table of images.")] = None,
    exam_list: Annotated[Path | None, typer.Option("--exam-list", help="Pickled exam list of NYU's software.")] = None,
    images: Annotated[Path | None, typer.Option("--images", help="Folder of the exam list's images.")] = None,
    masks: Annotated[Path | None, typer.Option("--masks", help="Folder of the exam list's lesion masks.")] = None,
    out: options.Out = ...,  # type: ignore[assignment]
    split: options.Split = None,
    pixel_mm: Annotated[
        float | None, typer.Option("--pixel-mm", min=0.001, max=5, help="Pixel size of FILES in mm.")
    ] = None,
    num_tta: Annotated[
        int, typer.Option("--num-tta", min=0, max=100, help="Scores as the mean of N displaced windows.")
    ] = 0,
    overlays: Annotated[bool, typer.Option("--overlays/--no-overlays", help="One figure per image.")] = True,
    sets: options.Sets = None,
    device: options.Device = "auto",
    precision: options.Precision = "32-true",
    workers: options.Workers = 1,
    overwrite: options.Overwrite = False,
) -> int:
    """Score images and show where: maps in original pixels, figures.

    An image that fails is listed in errors.csv and the rest goes on (exit code 3). The same command continues.
    """
    from mammoseg.cli.images import rows_from_files
    from mammoseg.export.overlay import overlay_writer
    from mammoseg.export.published import write_published_csv
    from mammoseg.inference.batch import predict_images
    from mammoseg.inference.ensemble import open_predictor
    from mammoseg.progress import Bar

    if sum([bool(files), manifest is not None, exam_list is not None]) != 1:
        raise typer.BadParameter("give image files, --manifest or --exam-list, one of the three", param_hint="FILES")
    if split and manifest is None:
        raise typer.BadParameter("only a manifest has splits; give one with --manifest", param_hint="--split")
    if pixel_mm is not None and not files:
        raise typer.BadParameter("it is for image files; a manifest has a column pixel_mm", param_hint="--pixel-mm")
    table = _table(manifest, split, exam_list, images, masks)
    rows = rows_from_files(files or [], pixel_mm) if table is None else list(table.rows())
    predictor = open_predictor(checkpoint, device, sets or [], precision)
    with Bar("predict", len(rows)) as bar:
        write = overlay_writer(out) if overlays else None
        result = predict_images(predictor, rows, out, workers, overwrite, write, bar.advance, num_tta)
    print(f"{result.predicted} images predicted, {result.done_before} done before, {result.failed} failed: {out}")
    if exam_list is not None and table is not None:
        table.to_csv(out / "exam_list_manifest.csv")
        print(f"As the published software writes it: {write_published_csv(out, table, len(checkpoint) > 1)}")
    if result.failed:
        print(f"The failed images and why: {out / 'errors.csv'}")
    return 0 if not result.failed else 3 if result.predicted + result.done_before else 1


def _table(
    manifest: Path | None, split: str | None, exam_list: Path | None, images: Path | None, masks: Path | None
) -> "Manifest | None":
    """The images as a table, unless they are given as files."""
    from mammoseg.data.adapters.exam_list import make_manifest
    from mammoseg.data.manifest import load_manifest

    if exam_list is not None:
        if images is None:
            raise typer.BadParameter("an exam list has no paths; say where its images are", param_hint="--images")
        return make_manifest(exam_list, images, masks)
    if images is not None or masks is not None:
        raise typer.BadParameter("these folders belong to an exam list; give --exam-list", param_hint="--images")
    if manifest is None:
        return None
    table = load_manifest(manifest)
    return table.subset(split) if split else table
