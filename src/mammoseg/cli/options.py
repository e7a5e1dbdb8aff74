"""Options that several verbs share, with the same words everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Manifest = Annotated[Path, typer.Option("--manifest", "-m", help="Table of images, a row per image (CSV or Parquet).")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="YAML file with settings that differ.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change one setting; repeatable.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes or threads that read images.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Start anew instead of continuing.")]
