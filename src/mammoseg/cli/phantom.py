"""`mammoseg phantom`: synthetic screening exams with known lesions."""

import math
from enum import StrEnum
from typing import Annotated

import typer

from mammoseg.cli import options


class Size(StrEnum):
    """Which of the two families of phantoms."""

    SMALL = "small"
    FULL = "full"


def _shares(text: str) -> tuple[float, float, float]:
    train, val, test = map(float, text.split(","))
    return train, val, test


def _checked(text: str) -> str:
    try:
        usable = min(_shares(text)) >= 0 and math.isclose(sum(_shares(text)), 1, abs_tol=1e-6)
    except ValueError:
        usable = False
    if not usable:
        raise typer.BadParameter(f"{text!r}: expected three shares that sum to 1, such as 0.7,0.1,0.2")
    return text


def phantom(
    exams: Annotated[int, typer.Option("--exams", min=1, help="Number of exams, four images each.")],
    out: options.Out,
    size: Annotated[Size, typer.Option("--size", help="416 x 320 or 3328 x 2560 pixels.")] = Size.SMALL,
    config: options.ConfigFile = None,
    sets: options.Sets = None,
    splits: Annotated[
        str, typer.Option("--splits", help="Shares of train, val, test.", callback=_checked)
    ] = "0.7,0.1,0.2",
    workers: options.Workers = 2,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
) -> int:
    """Generate screening exams with lesions, for trying things out.

    Writes images, exact lesion masks and manifest.csv. The same command continues, and adds exams to those there are.
    """
    from mammoseg.config import with_overrides
    from mammoseg.ingest.synthetic import clear_study, write_study
    from mammoseg.phantom.config import PhantomConfig
    from mammoseg.progress import Bar

    settings = with_overrides(PhantomConfig.small() if size is Size.SMALL else PhantomConfig(), config, sets or [])
    if overwrite:
        clear_study(out)
    with Bar("phantoms", exams) as bar:
        manifest = write_study(out, exams, settings, seed, _shares(splits), max(1, workers), bar.advance)
    print(f"{exams} exams: {manifest}")
    return 0
