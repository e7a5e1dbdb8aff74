"""What training takes from Lightning. Its metrics import torchvision where that is installed, which fails if its compiled operators
cannot be loaded and nobody has defined them before: so Lightning is imported here alone."""

from mammoseg.nn.vision import define_missing_operators

define_missing_operators()

import lightning as L  # noqa: E402
from lightning.pytorch.callbacks import Callback  # noqa: E402
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger  # noqa: E402
from lightning.pytorch.plugins.environments import TorchElasticEnvironment  # noqa: E402
from lightning.pytorch.plugins.io import TorchCheckpointIO  # noqa: E402
from lightning.pytorch.strategies import DDPStrategy  # noqa: E402

__all__ = [
    "CSVLogger",
    "Callback",
    "DDPStrategy",
    "L",
    "Logger",
    "TensorBoardLogger",
    "TorchCheckpointIO",
    "TorchElasticEnvironment",
    "WandbLogger",
]
