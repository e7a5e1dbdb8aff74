"""Published files of DMV-CNN, made by the rule of the stored numbers."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mammoseg.models.dmvcnn.model import DmvCnn
from mammoseg.published.file import PublishedFile

State = OrderedDict[str, Tensor]


@pytest.fixture(scope="session")
def published_state(simple_weights: Callable[..., Any]) -> Callable[[PublishedFile], State]:
    """`published_state(file)`: all tensors of such a file, with the copies and the rows that nothing uses."""

    def make(file: PublishedFile) -> State:
        with torch.device("meta"):
            ours = DmvCnn(file.config).state_dict()  # type: ignore[arg-type]
        state: State = OrderedDict()
        for name, value in ours.items():
            key, shape = file.published_name(name), tuple(value.shape)
            if key.startswith("output_layer"):
                shape = (8, *shape[1:])
            state[key] = torch.from_numpy(np.asarray(simple_weights(key, shape))).to(value.dtype)
        for key in [key for key in state if key.startswith("four_view_resnet")]:
            net, projection, rest = key.split(".", 2)
            state |= {f"{net}.{side}_{projection}.{rest}": state[key] for side in "lr"}
        return state

    return make
