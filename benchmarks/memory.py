"""Time and peak memory of a network with and without `keep_freed_memory()`, each run in a process of its own, in turns.

    OMP_NUM_THREADS=2 python benchmarks/memory.py [--models glam gmic] [--batch 1] [--backward] [--repeats 3]

Seconds are for four images, the median of the repeats; each process computes once before it is timed. The ratio is of medians.
"""

import argparse
import statistics
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import torch

from mammoseg.models import build_model
from mammoseg.nn.memory import keep_freed_memory
from mammoseg.nn.timing import Direction, Load, Pass, measure_here


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["glam", "gmic"])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--backward", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    direction: Direction = "backward" if args.backward else "forward"
    for model in args.models:
        load = Load(partial(build_model, model), (2944, 1920), torch.device("cpu"), args.batch, repeats=1)
        runs: dict[bool, list[Pass]] = {False: [], True: []}
        for _ in range(args.repeats):
            for keep, passes in runs.items():
                with ProcessPoolExecutor(1, get_context("spawn")) as process:
                    passes.append(process.submit(run, load, direction, keep).result())
        seconds = {keep: statistics.median(p.seconds_per_exam for p in passes) for keep, passes in runs.items()}
        for keep, passes in runs.items():
            peak = statistics.median(p.peak_bytes or 0 for p in passes) / 2**30
            how = "kept" if keep else "given back"
            print(
                f"{model} {direction}, memory {how:10}  {seconds[keep]:6.2f} s  x{seconds[False] / seconds[keep]:.2f}"
                f"  peak {peak:.2f} GiB"
            )


def run(load: Load, direction: Direction, keep: bool) -> Pass:
    if keep:
        keep_freed_memory()
    return measure_here(load, direction)


if __name__ == "__main__":
    main()
