"""`mammoseg predict`: checkpoint + images -> predictions folder."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mammoseg.cli import options

if TYPE_CHECKING:
    from mammoseg.data.manifest import ImageRow, Manifest
    from mammoseg.ingest.given import Given
    from mammoseg.prep.config import PrepConfig

_LOOK = "look"
"""Step at which a file fails that no row is made of."""


def predict(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILES", exists=True, readable=False, help="DICOM files, images like x_L-CC.png, folders of them."
        ),
    ] = None,
    checkpoint: Annotated[
        list[Path], typer.Option("--checkpoint", help="Run or checkpoint folder, or glam_phantom. Several: their mean.")
    ] = ...,  # type: ignore[assignment]
    calibration: Annotated[
        Path | None, typer.Option("--calibration", dir_okay=False, help="File of `mammoseg calibrate`.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option("--manifest", "-m", help="Table of images.")] = None,
    exam_list: Annotated[Path | None, typer.Option("--exam-list", help="Pickled exam list of NYU's software.")] = None,
    images: Annotated[Path | None, typer.Option("--images", help="Folder of the exam list's images.")] = None,
    masks: Annotated[Path | None, typer.Option("--masks", help="Folder of the exam list's lesion masks.")] = None,
    out: options.Out = ...,  # type: ignore[assignment]
    split: options.Split = None,
    hash_ids: options.HashIds = None,
    pixel_mm: options.PixelMm = None,
    engine: Annotated[
        str, typer.Option("--engine", help="What computes: pytorch, or a module such as my_lab.engine.")
    ] = "pytorch",
    num_tta: Annotated[
        int, typer.Option("--num-tta", min=0, max=100, help="Scores as the mean of N displaced windows.")
    ] = 0,
    overlays: Annotated[bool, typer.Option("--overlays/--no-overlays", help="One figure per image.")] = True,
    figures: Annotated[Literal["png", "pdf", "svg"], typer.Option("--figures", help="Kind of these files.")] = "png",
    sets: options.Sets = None,
    device: options.Device = "auto",
    precision: options.Precision = "32-true",
    workers: options.Workers = 1,
    overwrite: options.Overwrite = False,
) -> int:
    """Score images and show where: maps in original pixels, figures.

    What fails is listed in errors.csv, and the rest goes on (exit code 3). Of FILES, scan's rules choose the images.
    The same command continues. With --hash-ids no id, name of a file or UID is written or told.
    """
    from mammoseg.export.figures import overlay_writer
    from mammoseg.export.published import write_published_csv
    from mammoseg.inference.batch import predict_images
    from mammoseg.inference.compare import compare_to_training
    from mammoseg.inference.predictor import open_predictor
    from mammoseg.ingest.pseudonyms import read_salt, with_pseudonyms
    from mammoseg.progress import Bar
    from mammoseg.records.label import reported

    if sum([bool(files), manifest is not None, exam_list is not None]) != 1:
        raise typer.BadParameter("give image files, --manifest or --exam-list, one of the three", param_hint="FILES")
    if split and manifest is None:
        raise typer.BadParameter("only a manifest has splits; give one with --manifest", param_hint="--split")
    if hash_ids and exam_list is not None:
        raise typer.BadParameter("an exam list has no ids of patients. Leave it out.", param_hint="--hash-ids")
    salt = read_salt(hash_ids) if hash_ids else None
    table = _table(manifest, split, exam_list, images, masks)
    table = table and table.with_pixel_mm(pixel_mm)
    table = with_pseudonyms(table, salt) if table and salt else table
    predictor = open_predictor(checkpoint, device, sets or [], precision, num_tta, engine, calibration)
    classes, trained_on = predictor.engine.classes, predictor.engine.trained_on
    given = _look(files, out, pixel_mm, workers, salt) if files else None
    rows = given.rows if given else list(table.rows(reported(classes), required=False)) if table else []
    with Bar("predict", len(rows)) as bar:
        write = overlay_writer(out, predictor.prep, figures) if overlays else None
        remarks = given.remarks if given else None
        result = predict_images(predictor, rows, out, workers, overwrite, write, bar.advance, figures, remarks)
    failed = result.failed + (_note(given, out, salt is not None) if given else 0)
    print(f"{result.predicted} images predicted, {result.done_before} done before, {failed} failed: {out}")
    if exam_list is not None and table is not None:
        table.to_csv(out / "exam_list_manifest.csv")
        print(f"As the published software writes it: {write_published_csv(out, table, predictor.of_several)}")
    if salt and predictor.engine.learned_from:
        print("Patients that the model has learned from are only known if it was trained with these pseudonyms.")
    if told := compare_to_training(trained_on, rows, out):
        print(told)
    if failed:
        print(f"The failed images and why: {out / 'errors.csv'}")
    done = result.predicted + result.done_before
    return 1 if not done else 3 if failed or not _seen(out, rows, predictor.prep) else 0


def _seen(out: Path, rows: "Sequence[ImageRow]", prep: "PrepConfig") -> bool:
    """Whether the window shows the breasts; says so if it misses some."""
    from mammoseg.data.window_fit import WindowError, check_window, fits
    from mammoseg.io.runs import is_done, stored_facts

    known = [facts for row in rows if is_done(out, row.image_id) and (facts := stored_facts(out, row.image_id))]
    below = sum(not fits(facts, prep) for facts in known)
    if below:
        print(f"{below} of {len(known)} images show too little of the breast, see their remarks: docs/how-to/window.md")
    try:
        check_window(known, prep, str(out), trained=True)
    except WindowError as error:
        print(f"mammoseg: {error}", file=sys.stderr)
        return False
    return True


def _look(files: list[Path], out: Path, pixel_mm: float | None, workers: int, salt: bytes | None) -> "Given":
    """The images among files and folders."""
    from mammoseg.ingest.given import gather, look_at
    from mammoseg.progress import Bar

    gathered = gather(files, out)
    with Bar("look", len(gathered.files)) as bar:
        return look_at(gathered, pixel_mm, workers, bar.advance, salt, decode="pictures")


def _note(given: "Given", out: Path, hidden: bool) -> int:
    """List what was not predicted and say what was left out; the number of files that should have been images.

    Where files must not be told (`hidden`), those left out are counted only.
    """
    from mammoseg.cli.tables import totalled
    from mammoseg.ingest.files import readable, write_left_out
    from mammoseg.io.failures import Failures

    failures = Failures(out)
    for image_id in set(failures.image_ids()) - {each.image_id for each in given.unusable}:
        failures.remove(image_id, _LOOK)  # corrected since, or not given any more
    for each in given.unusable:
        failures.add(each.image_id, readable(each.path), _LOOK, each.error)
    failures.write_table()
    table = out / "left_out.csv"
    table.unlink(missing_ok=True)
    if given.left_out:
        reasons = totalled(dict(Counter(seen.why for seen in given.left_out).most_common()))
        if not hidden:
            write_left_out(table, given.left_out)
        print(f"Left out: {reasons}" + ("" if hidden else f"; see {table}"))
    return len(given.unusable)


def _table(
    manifest: Path | None, split: str | None, exam_list: Path | None, images: Path | None, masks: Path | None
) -> "Manifest | None":
    """The images as a table, unless they are given as files."""
    from mammoseg.data.manifest import load_manifest
    from mammoseg.ingest.exam_list import make_manifest

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
