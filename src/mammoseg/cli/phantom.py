"""`mammoseg phantom`: synthetic screening exams with known lesions."""

from typing import Annotated

import typer

from mammoseg.cli import options


def phantom(
    exams: Annotated[int, typer.Option("--exams", min=1, help="Number of exams, four images each.")],
    out: options.Out,
    size: Annotated[str, typer.Option("--size", help="small (416 x 320) or full (3328 x 2560).")] = "small",
    config: options.ConfigFile = None,
    sets: options.Sets = None,
    splits: Annotated[str, typer.Option("--splits", help="Shares of train, val, test.")] = "0.7,0.1,0.2",
    workers: options.Workers = 2,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
) -> int:
    """Generate exams: images, exact lesion masks and a manifest. The same command continues or adds exams."""
    import shutil

    from mammoseg.cli.progress import Bar
    from mammoseg.config import with_overrides
    from mammoseg.data.adapters.synthetic import write_study
    from mammoseg.phantom.config import PhantomConfig

    if size not in ("small", "full"):
        raise typer.BadParameter(f"{size!r} is neither small nor full", param_hint="--size")
    try:
        train, val, test = (float(part) for part in splits.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{splits!r}: expected three numbers such as 0.7,0.1,0.2", param_hint="--splits"
        ) from None
    settings = with_overrides(PhantomConfig.small() if size == "small" else PhantomConfig(), config, sets or [])
    if overwrite and (out / "phantom.json").is_file():
        shutil.rmtree(out)
    with Bar("phantoms", exams) as bar:
        manifest = write_study(out, exams, settings, seed, (train, val, test), max(1, workers), bar.advance)
    print(f"{exams} exams: {manifest}")
    return 0
