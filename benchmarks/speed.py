"""The network as mammoseg runs it against the same network run plainly (eager, contiguous, float32), in one process.

    OMP_NUM_THREADS=2 python benchmarks/speed.py [--model glam] [--batches 1 4] [--repeats 5] [--device cpu] [--keep-memory]

Runs take turns, so that a busy machine slows all of them alike; the ratio is of medians. Random weights and a breast-like
window. `map` is the largest and the mean difference of the final map to the plain run's, `y` that of the prediction.
With --keep-memory all of them, the plain one too, run with `keep_freed_memory()`, as the command line does.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Mapping
from typing import get_args

import torch
from torch import Tensor, nn

from mammoseg.models import build_model, load_model_plugin
from mammoseg.nn.inference import Precision, computing, speed_up
from mammoseg.processes import keep_freed_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="glam")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--keep-memory", action="store_true")
    args = parser.parse_args()
    if args.keep_memory:
        keep_freed_memory()
    torch.manual_seed(0)
    published = load_model_plugin(args.model).PUBLISHED[0]
    plain = build_model(args.model, published.config).eval()
    settle(plain)
    plain.to(args.device)
    fast: dict[Precision, nn.Module] = {}
    for precision in get_args(Precision):
        fast[precision] = copy.deepcopy(plain)
        speed_up(fast[precision], precision)
    print(f"{published.title}, {args.device}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for batch in args.batches:
        compare(plain, fast, torch.stack([breast_window() for _ in range(batch)]).to(args.device), args.repeats)


def settle(model: nn.Module) -> None:
    """Batch norms that do something, as after training."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, 0, 0.1)


def breast_window() -> Tensor:
    rows, cols = torch.meshgrid(torch.linspace(-1, 1, 2944), torch.linspace(0, 1, 1920), indexing="ij")
    window = torch.where((rows / 0.8) ** 2 + (cols / 0.7) ** 2 < 1, 1 + 0.3 * torch.randn_like(rows), 0)
    return ((window - window.mean()) / window.std())[None]


def compare(plain: nn.Module, fast: Mapping[Precision, nn.Module], image_B1HW: Tensor, repeats: int) -> None:
    def run_plainly() -> object:
        with torch.no_grad():
            return plain(image_B1HW)

    def run(precision: Precision) -> object:
        with computing(image_B1HW.device, precision):
            return fast[precision](image_B1HW.contiguous(memory_format=torch.channels_last))

    runs: dict[str, Callable[[], object]] = {
        "plain": run_plainly,
        "float32": lambda: run("32-true"),
        "bfloat16": lambda: run("bf16-mixed"),
    }
    outputs = {name: work() for name, work in runs.items()}  # also the warm-up
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, work in runs.items():
            seconds[name].append(timed(work, image_B1HW.device))
    reference = statistics.median(seconds["plain"])
    print(f"batch {len(image_B1HW)}, median of {repeats}")
    for name, out in outputs.items():
        median = statistics.median(seconds[name])
        difference = (out.maps["saliency"] - outputs["plain"].maps["saliency"]).abs()
        y = (out.y_BK - outputs["plain"].y_BK).abs().max().item()
        same = torch.equal(out.corners_BP2, outputs["plain"].corners_BP2)
        print(
            f"  {name:9} {median:7.2f} s   x{reference / median:4.2f}   map {difference.max().item():.1e} (mean "
            f"{difference.mean().item():.1e})   y {y:.1e}   {'same' if same else 'other'} patches"
        )


def timed(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
