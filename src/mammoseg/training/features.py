"""What the frozen part of a model says of every image, computed once and kept in the folder of a stage until the stage is done.

A file for each image, in float16, named by a hash of its id. They do not say whose they are.
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mammoseg.io.atomic import atomic_path
from mammoseg.training.module import TrainingError


@dataclass(frozen=True)
class FeatureFiles:
    """Call it with an image_id for its features, float32; training and validation read what is stored, also in the run that has
    just computed it, so that one which is continued sees the same."""

    folder: Path

    def __contains__(self, image_id: str) -> bool:
        return self._path(image_id).is_file()

    def __call__(self, image_id: str) -> Tensor:
        """Raises TrainingError for a file that is damaged."""
        path = self._path(image_id)
        try:
            return torch.from_numpy(np.load(path, allow_pickle=False).astype(np.float32))
        except (OSError, ValueError, EOFError) as error:
            raise TrainingError(
                f"{path}: damaged ({error}). Expected features of an image. Delete the file and give the same command again: they "
                "are computed anew."
            ) from None

    def save(self, image_id: str, features: Tensor) -> None:
        with atomic_path(self._path(image_id)) as temporary:
            np.save(temporary, features.half().cpu().numpy())

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, image_id: str) -> Path:
        return self.folder / f"{hashlib.sha256(image_id.encode()).hexdigest()[:32]}.npy"
