"""What a model costs on a machine: seconds of an exam of four images, and the peak of memory.

    forward    evaluation mode, no gradients: what a prediction takes
    backward   training mode: the gradient of the sum of the prediction and its parts; the forward pass before it is not timed

Source   the columns of Table 1 of GMIC (Shen et al. 2021, arXiv:2002.07613); how they were measured is not public.
Details  Each direction has a new process, so that no earlier peak hides a later one, and a process that runs out of memory
         takes nothing with it. Weights and images are random: values do not change the cost. Without an optimiser: Adam
         needs two more numbers per parameter.
Units    seconds per exam of four images, the median of the repeats after one pass that is not counted; bytes
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor, nn

from mammoseg.nn.contract import ModelOutput
from mammoseg.nn.inference import Precision, computing, speed_up
from mammoseg.nn.layout import use_channels_last
from mammoseg.processes import keep_freed_memory, worker_pool

EXAM_IMAGES = 4
Direction = Literal["forward", "backward"]


class MeasuringError(ValueError):
    """A measurement that came to no result: out of memory, most likely."""


@dataclass(frozen=True)
class Load:
    """What is measured."""

    build: Callable[[], nn.Module]
    """Makes the model, in another process: has to be picklable, as `functools.partial(build_model, "glam")` is."""
    image_shape: tuple[int, int]
    """Rows and columns."""
    device: torch.device
    batch: int = EXAM_IMAGES
    """Images that are computed at once; of a model of several views, as many whole units."""
    repeats: int = 3
    precision: Precision = "32-true"
    channels: int = 1
    """Of an image."""
    views: int = 0
    """That the model looks at together, all of which are there; 0: each image is looked at alone."""

    def there(self) -> list[Tensor]:
        """(U, V): what a model of several views is told beside the images of so many units, at least one."""
        units = max(1, self.batch // self.views) if self.views else 0
        return [torch.ones(units, self.views, dtype=torch.bool, device=self.device)] if units else []


@dataclass(frozen=True)
class Pass:
    """What one direction took."""

    seconds_per_exam: float
    peak_bytes: int | None
    """With weights, images and, backward, gradients and what is kept for them. On a GPU what PyTorch allocated; on a CPU by
    how much the process grew. None: not measured on this device or system."""


def measure(load: Load, direction: Direction) -> Pass:
    """Run `load` in a process of its own.

    Raises MeasuringError if memory runs out, also where the system ends the process then, and for what the model refuses.
    """
    try:
        with worker_pool(1) as pool:
            return pool.submit(_in_new_process, load, direction, torch.get_num_threads()).result()
    except BrokenProcessPool:
        raise _out_of_memory(load, direction, "most likely: the process ended without a result") from None
    except RuntimeError as error:
        raise MeasuringError(f"{_where(load, direction)}: {error}") from error


def _in_new_process(load: Load, direction: Direction, threads: int) -> Pass:
    with suppress(OSError):  # Linux: if memory runs out, this process is to be ended and no other
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    torch.set_num_threads(threads)
    keep_freed_memory()
    return measure_here(load, direction)


def _where(load: Load, direction: Direction) -> str:
    rows, columns = load.image_shape
    return f"{direction} pass of {load.batch} images of {rows} x {columns} on {load.device}"


def _out_of_memory(load: Load, direction: Direction, end: str) -> MeasuringError:
    skip = ", skip it with --no-backward" if direction == "backward" else ""
    return MeasuringError(
        f"{_where(load, direction)}: out of memory ({end}). Expected room for the whole batch. Use a smaller --batch or "
        f"--size{skip}, or take a machine with more memory."
    )


def measure_here(load: Load, direction: Direction) -> Pass:
    """Run `load` in this process, whose memory should not have been larger before. Raises as `measure` does."""
    try:
        return _run(load, direction)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise _out_of_memory(load, direction, "an allocation failed") from None
        raise
    except ValueError as error:
        raise MeasuringError(f"{_where(load, direction)}: {error}") from None


def _run(load: Load, direction: Direction) -> Pass:
    before = _peak_bytes(load.device) or 0
    model = load.build().to(load.device).train(direction == "backward")
    if direction == "forward":
        speed_up(model, load.precision)
    else:
        use_channels_last(model)
    there = load.there()
    images = there[0].numel() if there else load.batch
    seen = [torch.randn(images, load.channels, *load.image_shape, device=load.device), *there]
    seconds_of = {"forward": _forward_seconds, "backward": _backward_seconds}[direction]
    _, *seconds = [seconds_of(model, seen, load.precision) for _ in range(1 + load.repeats)]
    after = _peak_bytes(load.device)
    per_exam = statistics.median(seconds) * EXAM_IMAGES / images
    return Pass(per_exam, None if after is None else after - before)


def _forward_seconds(model: nn.Module, seen: Sequence[Tensor], precision: Precision) -> float:
    device = seen[0].device
    start = _now(device)
    with computing(device, precision):
        model(*seen)
    return _now(device) - start


def _backward_seconds(model: nn.Module, seen: Sequence[Tensor], precision: Precision) -> float:
    device = seen[0].device
    model.zero_grad()
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
        out = cast(ModelOutput, model(*seen))
    total = torch.stack([y_BK.sum() for y_BK in (out.y_BK, *out.parts.values())]).sum()
    start = _now(device)
    total.backward()
    return _now(device) - start


def _now(device: torch.device) -> float:
    """Seconds, once the device has done what it was asked to do."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()


def _peak_bytes(device: torch.device) -> int | None:
    """The most memory this process has had so far; None where that cannot be asked for."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type != "cpu":
        return None
    with suppress(OSError):  # Linux; getrusage() would count the parent process, too
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None
