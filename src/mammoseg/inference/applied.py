"""Which calibration is applied to what a model predicts: one that was made from scores of just this model and its settings."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mammoseg.calibration.stored import Calibration, CalibrationError
from mammoseg.io.calibration import read_calibration, scores_hash, stored_calibration
from mammoseg.nn.checkpoint import home_of

logger = logging.getLogger(__name__)


def calibration_for(settings: Mapping[str, Any], checkpoints: Sequence[Path], given: Path | None) -> Calibration | None:
    """The one in the file `given`, else the one in the folder of the only checkpoint, if there is one.

    `settings` decide the scores (`Predictor.settings`). One that lies beside the checkpoint but is of other scores, as with
    displaced windows or after another training, is told in the log and left out. Raises CalibrationError if a file that is given
    is of other scores, and for a damaged one.
    """
    if given is not None:
        calibration = read_calibration(given)
        if calibration.scores_sha256 != scores_hash(settings):
            raise CalibrationError(
                f"{given}: was made from the scores of another checkpoint or of other settings. Expected one of just these scores. "
                "Make it again with `mammoseg calibrate`, from predictions of this checkpoint with these settings."
            )
        return calibration
    beside = stored_calibration(home_of(checkpoints[0])) if len(checkpoints) == 1 else None
    if beside is not None and beside.scores_sha256 != scores_hash(settings):
        logger.warning(
            "%s: its calibration was made from scores with other weights or settings, and is not applied",
            checkpoints[0],
        )
        return None
    return beside
