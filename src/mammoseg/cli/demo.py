"""`mammoseg demo`: the main job without any data of the user's."""

from pathlib import Path

from mammoseg.cli import options


def demo(
    out: options.Out = Path("mammoseg-demo"),
    device: options.Device = "auto",
    workers: options.Workers = 2,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
) -> int:
    """See everything work on generated images, in 5 to 15 minutes on two cores.

    Phantoms, training, prediction and evaluation, with an HTML page at the end. The training measures how long it will
    take on this machine, and says so after some seconds. The same command continues.
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.demo import run_demo
    from mammoseg.evaluation.tables import summary_table
    from mammoseg.io.outputs import writing_to
    from mammoseg.nn.device import device_from

    chosen = device_from(device)
    with writing_to(out):
        metrics = run_demo(out, chosen, workers, seed, overwrite, print)
    print_table(summary_table(metrics))
    print(f"Look at {out / 'index.html'}")
    return 0
