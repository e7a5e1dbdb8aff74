"""Several processes that train one model together, as torchrun starts them: each computes its part of every batch.

    torchrun --nproc-per-node 4 --no-python mammoseg train ...

The first of them writes the folder, and decides what is done; alone, a process is the first of one. Whatever is computed from all
images is the same in every process, and but for batch normalisation the same as in one.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.utils.data import Sampler

from mammoseg.nn.device import device_from
from mammoseg.training.lightning import DDPStrategy, TorchElasticEnvironment

T = TypeVar("T")

_PATIENCE = timedelta(days=2)
"""Others wait so long while the first prepares images."""


class LostProcessError(ValueError):
    """Another process of the run has ended."""


@contextmanager
def together(device: torch.device) -> Iterator[torch.device]:
    """For this block, be one of the processes that torchrun has started, if it has; yields the device of this one.

    Raises ConfigError if there are more processes than GPUs, and LostProcessError if another one has ended.
    """
    if not launched():
        yield device
        return
    if device.type == "cuda":
        device = device_from(f"cuda:{os.environ['LOCAL_RANK']}")
        torch.cuda.set_device(device)
    package = logging.getLogger("mammoseg")
    level = package.level
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
        if not is_first():
            package.setLevel(logging.ERROR)  # the first one says it
        yield device
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "peer" not in str(error):
            raise
        raise LostProcessError(
            f"process {os.environ['RANK']}: another process of this training has ended or cannot be reached. Expected all of "
            "them until the end. Its own message says why; the same command continues."
        ) from error
    finally:
        package.setLevel(level)
        if dist.is_initialized():
            dist.destroy_process_group()


def launched() -> bool:
    """Whether torchrun has started several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first() -> bool:
    """Whether this process is the one that writes and tells; also before and after `together`."""
    return not launched() or os.environ["RANK"] == "0"


def rank() -> int:
    """The number of this process among those that are together, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    """How many processes are together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def in_first(do: Callable[[], T]) -> T:
    """What `do` returns or raises in the first process, which alone calls it; in every process."""
    if size() == 1:
        return do()
    told: list[Any] = [None, None]
    if is_first():
        try:
            told[0] = do()
        except Exception as error:
            told[1] = error
    dist.broadcast_object_list(told)
    if told[1] is not None:
        raise told[1]
    return cast(T, told[0])


def of_all(value: T) -> list[T]:
    """What the processes have, in their order."""
    if size() == 1:
        return [value]
    values: list[Any] = [None] * size()
    dist.all_gather_object(values, value)
    return values


def mean_of_all(value: torch.Tensor) -> torch.Tensor:
    """The mean over the processes, on the device of `value`."""
    if size() == 1:
        return value
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / size()


def share_batch_norms(model: nn.Module) -> None:
    """Give every process the mean of what the batch norms of all have seen."""
    for buffer in model.buffers() if size() > 1 else ():
        if buffer.is_floating_point():
            buffer.copy_(mean_of_all(buffer))


def trainer_arguments(device: torch.device) -> dict[str, Any]:
    """What Lightning's Trainer is to know of the processes and their devices."""
    if size() == 1:
        return {"devices": [device.index or 0] if device.type == "cuda" else 1}
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    # What a stage trains need not take part in every batch. Batch norms see the part of their own process, as in DDP, but all
    # that they have seen counts: `share_batch_norms`.
    strategy = DDPStrategy(
        cluster_environment=TorchElasticEnvironment(), find_unused_parameters=True, broadcast_buffers=False
    )
    return {"devices": here, "num_nodes": size() // here, "strategy": strategy, "use_distributed_sampler": False}


class Share(Sampler[tuple[int, int]]):
    """The items of a sampler that are this process' own: of each batch of all processes its part."""

    def __init__(self, whole: Any, even: bool) -> None:
        """`even`: every process has as many items as the others, for which some of the first come twice."""
        self.whole = whole
        self.even = even

    def set_epoch(self, epoch: int) -> None:
        if hasattr(self.whole, "set_epoch"):
            self.whole.set_epoch(epoch)

    def __len__(self) -> int:
        return len(range(0 if self.even else rank(), len(self.whole), size()))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        items = list(self.whole)
        if self.even:
            items = [items[i] for i in np.resize(np.arange(len(items)), len(self) * size())]
        return iter(items[rank() :: size()])
