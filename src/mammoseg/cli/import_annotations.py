"""`mammoseg import-annotations`: annotations that people made elsewhere -> masks of a manifest."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def import_annotations(
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE...", exists=True, help="Files, or folders with all folders in them.")
    ],
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="What they are, e.g. dicom_seg. A wrong one lists all.")
    ],
    manifest: options.Manifest,
    out: Annotated[Path, typer.Option("--out", "-o", help="Manifest to write (CSV); masks go to OUT_masks/.")],
    rules: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="LABEL=CLASS", help="The class of a label; LABEL= is left out; repeatable."),
    ] = None,
    labels: Annotated[bool, typer.Option("--labels", help="Set unknown labels of annotated breasts to 1.")] = False,
    sets: options.Sets = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing manifest.")] = False,
) -> int:
    """Add annotations from other tools to a manifest.

    Regions become lesion masks on the pixels of the image files, boxes also boxes. Labels with the word benign or malignant
    are of that class. OUT_findings.csv lists every annotation, OUT_errors.csv what could not be used and what
    contradicts a label (exit code 3). The given manifest and its masks are not changed.
    """
    from mammoseg.config import with_overrides
    from mammoseg.data.manifest import load_manifest
    from mammoseg.ingest.annotated import import_annotations as run
    from mammoseg.ingest.annotated import masks_of, remove_stale
    from mammoseg.ingest.annotation_classes import read_rules
    from mammoseg.io.cells import write_csv
    from mammoseg.io.outputs import writing_to
    from mammoseg.plugins import ANNOTATIONS, load, names

    options.check_new_table(out, overwrite)
    if out.resolve() == manifest.resolve():
        raise typer.BadParameter(
            "it is the given manifest, which is not changed. Give another name.", param_hint="--out"
        )
    if format_ not in (known := names(ANNOTATIONS)) and "." not in format_:
        listed = "\n".join(f"  {name:<10} {load(ANNOTATIONS, name).TITLE}" for name in known)
        raise typer.BadParameter(f"there is no format {format_!r}. There are:\n{listed}", param_hint="--format")
    plugin = load(ANNOTATIONS, format_)
    chosen, by_label = with_overrides(plugin.Options(), sets=sets or []), read_rules(rules or [])
    masks, errors, findings = (
        out.absolute().with_name(f"{out.stem}_{what}") for what in ("masks", "errors.csv", "findings.csv")
    )
    parts = [part.name for part in masks.glob("*") if part.is_dir()]
    with options.beside_table((masks,), overwrite), writing_to(masks, *parts):
        drawn_before = masks_of(findings, masks)
        done = run(load_manifest(manifest), plugin, chosen, sources, by_label, masks, labels)
        problems, found = done.tables()
        for path, table in ((errors, problems), (findings, found)):
            write_csv(path, table) if len(table) else path.unlink(missing_ok=True)
        if done.findings:
            done.manifest.to_csv(out)
            remove_stale(drawn_before, done.manifest)
    drawn = ", ".join(f"{count} {name}" for name, count in sorted(done.images.items())) or "none"
    print(f"{len(done.findings)} annotations of {done.files} files; images with masks: {drawn}")
    if done.boxes_filled:
        print(f"{done.boxes_filled} of them are boxes, which are filled in masks: Dice says how well a map fills a box")
    if done.problems:
        print(f"{len(done.problems)} could not be used or contradict a label: {errors}")
    print(f"written: {out}" if done.findings else "nothing could be used, no manifest is written")
    return 1 if not done.findings else 3 if done.problems else 0
