"""`mammoseg study`: a plan of many systems -> one table."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def study(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="Name of a study that comes with mammoseg, or a YAML file.")
    ],
    out: options.Out,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", "-m", help="Table of images; studies of phantoms make their own.")
    ] = None,
    arms: Annotated[str | None, typer.Option("--arms", metavar="A,B", help="Only these systems.")] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", metavar="0,1", help="Only these seeds.")] = None,
    exams: Annotated[int | None, typer.Option("--exams", min=6, help="How many phantoms are made.")] = None,
    sets: options.Sets = None,
    device: options.Device = "auto",
    workers: options.Workers = 0,
) -> int:
    """Train, test and compare many systems on the same images.

    Continues what was stopped; several processes may share a folder. A system that ends with an error is listed, the others go
    on (exit code 3).
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.data.manifest import load_manifest
    from mammoseg.nn.device import device_from
    from mammoseg.study.plan import load_plan
    from mammoseg.study.summary import summary
    from mammoseg.study.work import open_study, work
    from mammoseg.study.write import write_study_results

    asked = load_plan(plan)
    asked = asked.model_copy(update={"sets": (*asked.sets, *(sets or []))})
    if any(each.partition("=")[0].strip() == "seed" for each in sets or []):
        raise typer.BadParameter("seed is set for each training; give --seeds", param_hint="--set")
    chosen = asked.chosen(_listed(arms, "--arms") if arms is not None else [])
    numbers = tuple(_seed(text) for text in _listed(seeds, "--seeds")) if seeds is not None else asked.seeds
    images = load_manifest(manifest) if manifest else None
    opened = open_study(asked, images, out, device_from(device), workers, exams)
    done = work(opened, chosen, numbers)
    results = write_study_results(opened)
    print_table(summary(results))
    for name, why in done.failed.items():
        print(f"{name} failed: {why}")
    if done.elsewhere:
        print(f"Other processes work on {', '.join(done.elsewhere)}: the same command later has their results.")
    print(f"All numbers: {out / 'table.csv'}, as a page: {out / 'study.html'}")
    nothing = not any(results["arms"][arm.name]["seeds"] for arm in chosen)
    unpredicted = any(results["arms"][arm.name]["unpredicted"] for arm in chosen)
    return 1 if nothing and not done.elsewhere else 3 if done.failed or unpredicted else 0


def _listed(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter("is empty; leave it out for all", param_hint=option)
    return names


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**31:
        raise typer.BadParameter(f"{text!r}: expected whole numbers below 2^31, such as 0,1,2", param_hint="--seeds")
    return int(text)
