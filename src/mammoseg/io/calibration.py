"""Where a calibration lies: `calibration.json`, beside the weights of a checkpoint or in the folder of an ensemble, and in the
predictions that it was applied to.

It does not touch the weights, the description of the checkpoint or a record: scores are the same with and without it, and a run
goes on with another one without predicting an image again. What fits which scores is told by a hash.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mammoseg.bounded import read_json
from mammoseg.calibration.stored import Calibration, CalibrationError
from mammoseg.config import ConfigError, parse
from mammoseg.io.atomic import plain, write_json

FILE = "calibration.json"
_BESIDE_SCORES = ("mammoseg", "pseudonyms", "precision")
"""Of the settings of a run: what does not make other scores (precision: not by more than rounding)."""


def scores_hash(settings: Mapping[str, Any]) -> str:
    """What decides the scores of a model, of what run.json says: weights, network, preparation, displaced windows."""
    decisive = plain({name: value for name, value in settings.items() if name not in _BESIDE_SCORES})
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def read_calibration(path: Path) -> Calibration:
    """Read a file, or that of a folder. Raises CalibrationError if it is missing, damaged or of another version."""
    file = path / FILE if path.is_dir() else path
    try:
        values = read_json(file)
        if not isinstance(values, dict):
            raise ValueError(f"a {type(values).__name__} where an object belongs")
        return parse(Calibration, values, str(file))
    except FileNotFoundError:
        raise CalibrationError(
            f"{file}: there is no calibration. Expected what `mammoseg calibrate` wrote. Make one."
        ) from None
    except (OSError, ConfigError, ValueError) as error:
        raise CalibrationError(
            f"{file}: damaged, or of another version ({error}). Expected what `mammoseg calibrate` wrote. Make it again."
        ) from None


def stored_calibration(folder: Path) -> Calibration | None:
    """The calibration of a checkpoint or of predictions; None: there is none. Raises like `read_calibration`."""
    return read_calibration(folder) if (folder / FILE).exists() else None


def write_calibration(path: Path, calibration: Calibration) -> None:
    write_json(path, calibration.model_dump(mode="json"))


def keep_calibration(folder: Path, calibration: Calibration | None) -> None:
    """Make `calibration` that of a predictions folder; None: it has none."""
    if calibration is None:
        (folder / FILE).unlink(missing_ok=True)
    else:
        write_calibration(folder / FILE, calibration)
