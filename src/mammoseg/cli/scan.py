"""`mammoseg scan`: a folder of DICOM files or pictures -> checked manifest and quality report."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mammoseg.cli import options

_MOST_WORKERS = 8


def scan(
    root: Annotated[
        Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="Searched with all folders in it.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Manifest to write (CSV). The report goes beside it.")],
    labels: Annotated[
        Path | None, typer.Option("--labels", exists=True, dir_okay=False, help="Table of labels, .xlsx or CSV.")
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is, or COLUMN:VALUE=CLASS,...; repeatable."),
    ] = None,
    pattern: Annotated[
        str | None, typer.Option("--pattern", help="How names are built, e.g. {patient}_{laterality}_{view}.png.")
    ] = None,
    pixel_mm: options.PixelMm = None,
    hash_ids: options.HashIds = None,
    dates: Annotated[bool, typer.Option("--dates/--no-dates", help="Keep the study dates.")] = True,
    pixels: Annotated[bool, typer.Option("--pixels/--no-pixels", help="Decode and check every image.")] = True,
    workers: options.Workers = min(_MOST_WORKERS, os.cpu_count() or 1),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing manifest.")] = False,
) -> int:
    """Turn a folder of DICOM files or pictures into a manifest.

    Beside it: NAME_quality.html and NAME_quality.json, which name no person, NAME_quality_images with a small picture of
    each image, and NAME_left_out.csv with all other files and why. No file of DIR is changed.
    """
    from mammoseg.cli.advice import advise, recipe_windows
    from mammoseg.ingest.examine import Settings
    from mammoseg.ingest.exams import make_rows, rows_to_manifest
    from mammoseg.ingest.files import find_files, write_left_out
    from mammoseg.ingest.label_match import rows_of_files
    from mammoseg.ingest.label_table import LabelError, read_labels
    from mammoseg.ingest.labels import join_labels
    from mammoseg.ingest.patterns import compile_pattern
    from mammoseg.ingest.pseudonyms import read_salt
    from mammoseg.ingest.report.page import write_page
    from mammoseg.ingest.report.summary import FIRST_ROW, summarise
    from mammoseg.ingest.scan import check_pattern, scan_files
    from mammoseg.ingest.thumbnail import write_thumbnails
    from mammoseg.io.atomic import write_json
    from mammoseg.progress import Bar

    options.check_new_table(out, overwrite)
    _check_path(root.resolve())
    if maps and labels is None:
        raise typer.BadParameter("there is no table whose columns it names. Give --labels, too.", param_hint="--map")
    windows = recipe_windows() if pixels else {}
    names = compile_pattern(pattern) if pattern is not None else None
    folder = root.resolve()
    salt = read_salt(hash_ids) if hash_ids else None
    table_of_labels = read_labels(labels, maps or []) if labels else None
    ends = ("_left_out.csv", "_quality.html", "_quality.json", "_quality_images")
    others, page, table, pictures = (out.with_name(out.stem + end) for end in ends)
    files, skipped = find_files(folder, without=pictures.resolve())
    about, told = rows_of_files(table_of_labels, files, folder) if table_of_labels else ({}, {})
    settings = Settings(folder, names, "all" if pixels else "none", pixel_mm, windows, thumbnails=pixels, told=told)
    check_pattern(files, settings)
    with Bar("scan", len(files)) as bar:
        found = [*scan_files(files, settings, workers, bar.advance), *skipped]
    images, found = make_rows(found, salt, names)
    joined, mistake = None, None
    try:
        joined = join_labels(table_of_labels, images, folder, about) if table_of_labels else None
    except LabelError as error:  # raised when the report is written, which took long
        mistake = error
    quality = summarise(images, found, joined, pixels, salt is not None, windows)
    write_left_out(others, found)
    write_json(table, quality)
    if pixels:
        small = {row: image.seen.thumbnail for row, image in enumerate(images, FIRST_ROW) if image.seen.thumbnail}
        write_thumbnails(pictures, small)
    write_page(page, quality, out.name, others.name, pictures.name)
    complete = bool(images) and mistake is None
    if complete:  # last: the manifest says that the scan is complete
        rows_to_manifest(images, folder, out, joined.by_image if joined else None, dates).to_csv(out)
    _print(quality)
    print(f"written: {out if complete else 'no manifest'}, {page}, {table}, {others}")
    if mistake:
        raise mistake
    if complete:
        print("\n".join(advise(quality, out)))
    return 1 if not images else 3 if quality["files"]["unusable"] else 0


def _check_path(root: Path) -> None:
    """The manifest is a table of text, in which every path begins with that of the folder."""
    from mammoseg.ingest.files import readable

    try:
        str(root).encode()
    except UnicodeEncodeError:
        raise typer.BadParameter(
            f"{readable(root)}: this path is no text in UTF-8, as manifests have it. Rename the folder.",
            param_hint="DIR",
        ) from None


def _print(quality: Mapping[str, Any]) -> None:
    from mammoseg.cli.tables import print_table, totalled
    from mammoseg.ingest.report.summary import window_cells

    counts, exams, labels = quality["counts"], quality["exams"], quality["labels"]
    files = quality["files"]
    lines = {
        "images": f"{counts['images']} of {counts['exams']} exams, {counts['patients']} patients",
        "exams": f"{exams['complete']} with the four standard views, {exams['incomplete']} without",
        **{status: totalled(files[status]) for status in files if files[status]},
    }
    if quality["pattern"]:
        lines["names"] = quality["pattern"]["advice"]
    if labels:
        lines["labels"] = (
            f"{labels['images_with_label']} images with, {labels['images_without_label']} without; "
            f"{labels['rows_without_image']} of {labels['rows']} rows about no image, "
            f"{labels['images_without_row']} images in no row"
        )
        lines["classes"] = ", ".join(f"{count} {name}" for name, count in labels["images_of_class"].items())
        lines["columns"] = ", ".join(f"{column} is {name}" for name, column in labels["columns"].items())
        if labels["rows_corrected"]:
            lines["corrected"] = (
                f"{labels['rows_corrected']} rows, whose ids or paths fit only in another spelling: see the report"
            )
    lines["pixel size"] = ", ".join(f"{size} ({count})" for size, count in quality["pixel_sizes"].items())
    print_table([{"": name, "what": text} for name, text in lines.items()])
    if quality["windows"]:
        print_table(window_cells(quality))
    if quality["findings"]:
        print_table([{"images": str(f["images"] or ""), "finding": f["what"]} for f in quality["findings"]])
