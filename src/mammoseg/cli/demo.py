"""`mammoseg demo`: the main job without any data of the user's."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def demo(
    out: options.Out = Path("mammoseg-demo"),
    device: options.Device = "auto",
    workers: options.Workers = 2,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    train: Annotated[
        bool, typer.Option("--train", help="Train on generated exams first, for 5 to 10 minutes.")
    ] = False,
) -> int:
    """See everything work on generated images, in a minute on two cores.

    Phantoms, prediction with the weights that come with mammoseg, and evaluation, with an HTML page at the end. With --train
    the weights are trained before: the training measures how long it will take on this machine, and says so after some
    seconds. The same command continues.
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.demo import run_demo
    from mammoseg.evaluation.tables import summary_table
    from mammoseg.io.outputs import writing_to
    from mammoseg.nn.device import device_from

    chosen = device_from(device)
    with writing_to(out):
        metrics = run_demo(out, chosen, workers, seed, overwrite, train, print)
    print_table(summary_table(metrics))
    print(f"Look at {out / 'index.html'}")
    return 0
