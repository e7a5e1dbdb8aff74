"""What a checkpoint says about the model in it, checked: settings that no model can have are refused."""

from mammoseg.config import ConfigError, parse
from mammoseg.data.domain import Domain
from mammoseg.models import MissingPackageError, check_installed, check_size, misfit, network_of
from mammoseg.nn.checkpoint import Checkpoint, CheckpointError
from mammoseg.nn.contract import NetworkConfig
from mammoseg.prep.config import PrepConfig


def checkpoint_settings(checkpoint: Checkpoint) -> tuple[NetworkConfig, PrepConfig]:
    """Network and preparation. Raises CheckpointError for those that no model can have, and like `check_installed`."""
    where = str(checkpoint.folder)
    try:
        check_installed(checkpoint.model)
        network = network_of(checkpoint.model, checkpoint.network, where)
        prep = parse(PrepConfig, checkpoint.prep, where)
        if problem := misfit(checkpoint.model, network, None, prep):
            raise ConfigError(f"{where}: {problem}")
        check_size(checkpoint.model, network)
    except MissingPackageError:
        raise
    except ValueError as error:
        raise _impossible(where, error) from None
    return network, prep


def training_images(checkpoint: Checkpoint) -> Domain | None:
    """What a checkpoint says about the images it was trained on; None: nothing. Raises CheckpointError like the settings."""
    where = str(checkpoint.folder)
    try:
        return None if checkpoint.trained_on is None else parse(Domain, checkpoint.trained_on, where)
    except ConfigError as error:
        raise _impossible(where, error) from None


def _impossible(where: str, error: ValueError) -> CheckpointError:
    return CheckpointError(
        f"{where}: settings that cannot be: {error}. Expected what mammoseg wrote. Restore the folder from a copy, or use the "
        "version of mammoseg that wrote it."
    )
