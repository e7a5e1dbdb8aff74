"""`mammoseg adapt`: a data set in its own folder -> manifest with lesion masks."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mammoseg.cli import options

if TYPE_CHECKING:
    from mammoseg.data.manifest import Manifest
    from mammoseg.ingest.data_set import About, Adapted, Totals


def adapt(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The data set, e.g. cbis_ddsm. A wrong one lists them all.")
    ],
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Its folder, as it was published.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Manifest to write (CSV); masks go to OUT_masks/.")],
    roi_flipped: Annotated[
        bool, typer.Option("--roi-flipped", help="embed: ROI coordinates are those of the mirrored PNG files.")
    ] = False,
    split: Annotated[
        tuple[float, float, float] | None,
        typer.Option("--split", metavar="TRAIN VAL TEST", help="Draw a split by patient instead of the official one."),
    ] = None,
    seed: options.Seed = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing manifest.")] = False,
) -> int:
    """Turn a public data set, as it was downloaded, into a manifest.

    Tells where its labels come from, its licence and its known defects. Nothing is downloaded; no image is copied or
    changed. Exit code 3: rows or images were left out (listed in OUT_left_out.csv), or there are fewer than published.
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.data.splits import assign_splits, check_leaks, describe_splits
    from mammoseg.ingest.data_set import write_omissions
    from mammoseg.records.label import CLASSES

    options.check_new_table(out, overwrite)
    about, make = _adapter(name)
    settings = {"roi_flipped": True} if roi_flipped else {}
    if settings.keys() - inspect.signature(make).parameters.keys():
        raise typer.BadParameter(f"it is not for {name}", param_hint="--roi-flipped")
    _print_about(about)
    if not root.is_dir():
        raise typer.BadParameter(f"{root} is no folder. Expected {about.holds}. Check the path.", param_hint="ROOT")
    masks, listed = (out.absolute().with_name(f"{out.stem}_{what}") for what in ("masks", "left_out.csv"))
    with options.beside_table((masks, listed), overwrite):
        adapted = make(root, masks, **settings)
        manifest = assign_splits(adapted, split, seed) if split else adapted
        check_leaks(manifest)
        write_omissions(listed, adapted.left_out)
        manifest.to_csv(out)
    counts = describe_splits(manifest).reset_index().astype(str)
    print_table([{str(n): value for n, value in row.items()} for row in counts.to_dict("records")])
    drawn = [f"{manifest.table[f'{label}_mask'].notna().sum()} {label}" for label in CLASSES]
    print(f"{len(manifest)} images; masks: {', '.join(drawn)}; written: {out}")
    if adapted.left_out:
        print(f"{len(adapted.left_out)} rows, images or folders are left out: {listed}")
    return 3 if _fewer_than_published(about.published, manifest) or adapted.left_out else 0


def _adapter(name: str) -> "tuple[About, Callable[..., Adapted]]":
    """What the data set says of itself, and its make_manifest(root, masks)."""
    from mammoseg.plugins import ADAPTERS, load, names

    known = names(ADAPTERS)
    if name in known or "." in name:
        module = load(ADAPTERS, name)
        return module.ABOUT, module.make_manifest
    listed = "\n".join(f"  {n:<12} {load(ADAPTERS, n).ABOUT.title}" for n in known)
    raise typer.BadParameter(f"there is no data set {name!r}. There are:\n{listed}", param_hint="NAME")


def _fewer_than_published(published: "Totals | None", manifest: "Manifest") -> bool:
    if published is None:
        print("How many images were published is not known here: only its tables and files tell what is missing.")
        return False
    whole = {"images": published.images, "exams": published.exams, "patients": published.patients}
    there = {
        "images": len(manifest),
        **{f"{kind}s": manifest.table[f"{kind}_id"].nunique() for kind in ("exam", "patient")},
    }
    counts = [f"{there[kind]:,} of {number:,} {kind}" for kind, number in whole.items() if number is not None]
    print(f"Published ({published.source}): {', '.join(counts)}")
    return any(there[kind] < number for kind, number in whole.items() if number is not None)


def _print_about(about: "About") -> None:
    print(f"{about.title} ({about.url})\nLabels: {about.label_source}\nLicence: {about.licence}\nKnown defects:")
    print("\n".join(f"- {defect}" for defect in about.defects), flush=True)
