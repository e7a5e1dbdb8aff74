"""Ensemble: several engines predict as the mean of what they say.

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3: the five best models. The mean of the maps is ours; the published software
         shows those of the first model alone.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import cv2
import numpy as np

from mammoseg.data.learned import Patients
from mammoseg.inference.engine import Array, Engine, Inputs, Outputs
from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.records.sees import Sees


class Ensemble(Engine):
    """All members share preparation, classes and views; each sees the heatmaps that it wants."""

    patches_of = "checkpoint 1"

    def __init__(self, members: Sequence[Engine], names: Sequence[str]) -> None:
        """`names` of the members are for messages. Raises CheckpointError if members see images prepared in different ways,
        predict different classes, or are the same."""
        self.members, first = members, members[0]
        self.prep, self.classes, self.trained_on = first.prep, first.classes, first.trained_on
        self.at_once, self.enter_thread = first.at_once, first.enter_thread  # type: ignore[method-assign]
        self.sees = Sees(
            max((member.sees.heatmaps for member in members), key=len), first.sees.views, first.sees.windows
        )
        for name, member in zip(names, members, strict=True):
            same = (member.prep, member.classes, member.sees.views) == (first.prep, first.classes, first.sees.views)
            if not same or not set(member.sees.heatmaps) <= set(self.sees.heatmaps):
                raise CheckpointError(
                    f"{name}: prepares images in another way than {names[0]}, or predicts other classes. Expected "
                    "members of an ensemble to see the same windows. Predict with each on its own."
                )
        if any(member.description() == earlier.description() for member, earlier in combinations(members, 2)):
            raise CheckpointError(
                f"{', '.join(names)}: the same weights are given twice. Expected every member of an ensemble "
                "once. Leave out the copies."
            )

    @property
    def learned_from(self) -> tuple[Patients, ...]:
        return tuple(patients for member in self.members for patients in member.learned_from)

    def description(self) -> dict[str, Any]:
        """What all members share, and as `network` what each says beside it."""
        members = [member.description() for member in self.members]
        shared = {name: value for name, value in members[0].items() if all(m.get(name) == value for m in members)}
        for own in ("model", "checkpoint_sha256", "network"):
            shared.pop(own, None)
        return shared | {
            "model": "ensemble",
            "checkpoint_sha256": hash_of([member["checkpoint_sha256"] for member in members]),
            "network": {"members": [{k: v for k, v in member.items() if k not in shared} for member in members]},
        }

    def __call__(self, inputs: Inputs) -> Outputs:
        """Mean predictions, parts and maps of the members; the patches are those of the first. Without boxes: findings are of the
        mean map."""
        found = [member(self._seen(member, inputs)) for member in self.members]
        return Outputs(
            np.mean([out.y_BK for out in found], axis=0, dtype=np.float64),
            {name: _mean_map(maps) for name, maps in _shared([out.maps for out in found]).items()},
            {
                name: np.mean(y_NBK, axis=0, dtype=np.float64)
                for name, y_NBK in _shared([out.parts for out in found]).items()
            },
            found[0].patches,
        )

    def scores(self, inputs: Inputs) -> Array:
        y_BK: Array = np.mean(
            [member.scores(self._seen(member, inputs)) for member in self.members], axis=0, dtype=np.float64
        )
        return y_BK

    def _seen(self, member: Engine, inputs: Inputs) -> Inputs:
        """The windows with the channels that a member wants."""
        channels = [0, *(1 + self.sees.heatmaps.index(name) for name in member.sees.heatmaps)]
        return Inputs(inputs.image_BCHW[:, channels], inputs.there_UV)


def hash_of(hashes: Sequence[str]) -> str:
    """What stands for the weights of several checkpoints, in this order; of one alone its own."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _shared(found: Sequence[Mapping[str, Array]]) -> dict[str, list[Array]]:
    """What all members have, by name."""
    return {name: [each[name] for each in found] for name in found[0] if all(name in each for each in found)}


def _mean_map(maps: Sequence[Array]) -> Array:
    """Mean of maps (B, K, h, w) of the same windows on the finest of their grids, by nearest neighbour."""
    rows, cols = max(values.shape[2:] for values in maps)
    mean: Array = np.mean([_enlarged(values, rows, cols) for values in maps], axis=0)
    return mean


def _enlarged(map_BKhw: Array, rows: int, cols: int) -> Array:
    if map_BKhw.shape[2:] == (rows, cols):
        return map_BKhw
    flat = map_BKhw.reshape(-1, *map_BKhw.shape[2:])
    planes = [cv2.resize(plane, (cols, rows), interpolation=cv2.INTER_NEAREST_EXACT) for plane in flat]
    return np.stack(planes).reshape(*map_BKhw.shape[:2], rows, cols).astype(np.float32, copy=False)
