"""What a page was made of, as a hash in its head: where it is still right, the page need not be made again.

The hash is of the records, which name the content of images and maps, of the truth, of what a calibration gives, and of the code of
the page. A page in which an image has failed has none, so that it is made again.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mammoseg.bounded import open_regular, sha256_of
from mammoseg.data.predictions import Predictions
from mammoseg.io.runs import read_run, record_path
from mammoseg.report.exams import Exam
from mammoseg.report.priors import Prior

_FORMAT = 3
"""Raised when something else is put into a page."""
_STAMP = re.compile(rb'<meta name="mammoseg-page" content="([0-9a-f]*)" data-thumbnail="([A-Za-z0-9+/=]*)">')
_HEAD = 2**18  # bytes in which the stamp of a page stands


def model_of(folder: Path) -> dict[str, str]:
    """What a page says of the model whose predictions a folder holds. Raises RunFileError without run.json."""
    run = read_run(folder)
    return {name: str(run.get(name, "unknown")) for name in ("model", "checkpoint_sha256", "mammoseg")}


def stamp_of(
    exam: Exam, predictions: Predictions, model: Mapping[str, str], code: str, prior: Prior | None = None
) -> str:
    """Hash of what a page is made of; `code` is that of the code (`Pages.code_hash`)."""
    parts: list[Any] = [
        _FORMAT,
        code,
        exam.patient_id,
        exam.exam_id,
        dict(model),
        predictions.manifest is not None,
        [prior.exam.exam_id, prior.months] if prior else [],
        [[dict(breast.calibrated), dict(breast.recalled)] for breast in exam.breasts],
    ]
    for member in (*exam.members, *(prior.exam.members if prior else ())):
        row = predictions.rows.get(member.image_id)
        record = record_path(predictions.folder, member.image_id) if member.about else None
        masks = {name: _hash_or_none(path) for name, path in row.masks.items()} if row else {}
        truth = [dict(row.labels), masks, row.mask_frame] if row else []
        parts.append([member.image_id, member.reason, record and _hash_or_none(record), truth])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def stamped(path: Path) -> tuple[str, str] | None:
    """Stamp and thumbnail (base64) of a page; None: there is none, or it is not ours."""
    try:
        with open_regular(path) as file:
            found = _STAMP.search(file.read(_HEAD))
    except OSError:
        return None
    return (found[1].decode(), found[2].decode()) if found else None


def _hash_or_none(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None
