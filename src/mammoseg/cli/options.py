"""Options that several verbs share, with the same words everywhere."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from mammoseg.data.manifest import Manifest as Table


def writable(folder: Path) -> Path:
    """Wrong at once rather than after an hour of work."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(path))
    if not nearest.is_dir():
        raise typer.BadParameter(f"{nearest} is not a folder. Give a folder, new or not.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise typer.BadParameter(
            f"{nearest} may not be written to. Choose another folder, or change its access rights."
        )
    return folder


def read_manifest(path: Path | None, hash_ids: Path | None) -> "Table | None":
    """The table of images that goes with predictions, with their pseudonyms if a salt is given; None: none is given."""
    from mammoseg.data.manifest import load_manifest
    from mammoseg.ingest.pseudonyms import read_salt, with_pseudonyms

    table = load_manifest(path) if path else None
    return with_pseudonyms(table, read_salt(hash_ids)) if table and hash_ids else table


def named(folders: Sequence[Path]) -> dict[str, Path]:
    """Predictions by the names of their folders, numbered where these are the same."""
    names = [folder.resolve().name for folder in folders]
    return {
        name if names.count(name) == 1 else f"{name} {number}": folder
        for number, (name, folder) in enumerate(zip(names, folders, strict=True), start=1)
    }


def check_new_table(out: Path, overwrite: bool) -> None:
    """A CSV file to be written: wrong at once rather than after an hour of work."""
    if out.suffix.lower() != ".csv" or out.is_dir():
        raise typer.BadParameter(f"{out} is no name of a CSV file. Give one, e.g. manifest.csv.", param_hint="--out")
    if out.exists() and not overwrite:
        raise typer.BadParameter(
            f"{out} is there already, perhaps with labels of yours. Choose another name, or --overwrite.",
            param_hint="--out",
        )
    writable(out.parent)


@contextmanager
def beside_table(paths: Sequence[Path], overwrite: bool) -> Iterator[None]:
    """Files and folders of the one table that the block writes. Those of a table that is not finished are deleted again."""
    before = [path for path in paths if path.exists()]
    if before and not overwrite:
        raise typer.BadParameter(
            f"{before[0]} is there already, perhaps of another manifest. Choose another name, or --overwrite.",
            param_hint="--out",
        )
    try:
        yield
    except BaseException:
        for path in (path for path in paths if path not in before):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


Manifest = Annotated[Path, typer.Option("--manifest", "-m", help="Table of images, a row per image (CSV or Parquet).")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.", callback=writable)]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="YAML file with settings that differ.")]
PixelMm = Annotated[
    float | None, typer.Option("--pixel-mm", min=0.001, max=5, help="Pixel size in mm of images that do not tell it.")
]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change one setting; repeatable.")]
HashIds = Annotated[
    Path | None,
    typer.Option("--hash-ids", metavar="SALT_FILE", dir_okay=False, help="Hash ids of persons; made if missing."),
]
Split = Annotated[
    Literal["train", "val", "test"] | None, typer.Option("--split", help="Only this split of the manifest.")
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, gpu or cuda, cuda:N, mps.")]
Precision = Annotated[
    Literal["32-true", "bf16-mixed"], typer.Option("--precision", help="bf16-mixed is faster and less exact.")
]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes or threads that read images.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Start anew instead of continuing.")]
