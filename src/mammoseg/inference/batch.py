"""Many images: read and prepare ahead while the network runs, record failures and go on, continue a stopped run."""

import errno
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from mammoseg.data.load import load_crop
from mammoseg.data.manifest import ImageRow
from mammoseg.inference.augment import displaced_windows
from mammoseg.inference.ensemble import Ensemble
from mammoseg.inference.predictor import Predictor
from mammoseg.inference.resume import Inputs, inputs_of, not_done, open_run
from mammoseg.io.figures import FigureKind
from mammoseg.io.ledger import Ledger
from mammoseg.io.outputs import writing_to
from mammoseg.io.repeats import Repeats
from mammoseg.io.runs import save_prediction
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.pipeline import Prepared, prepare_window
from mammoseg.records.image import Mammogram
from mammoseg.records.prediction import Prediction
from mammoseg.records.saliency import findings_of

logger = logging.getLogger(__name__)

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

AfterImage = Callable[[Prediction, Mammogram, ImageRow], None]
AnyPredictor = Predictor | Ensemble
Loaded = tuple[Inputs, Mammogram, BreastCrop, Prepared]


@dataclass(frozen=True)
class BatchResult:
    """How many images were predicted now, were done before, and failed (see errors.csv)."""

    predicted: int
    done_before: int
    failed: int


class Told(NamedTuple):
    """What the log has heard of images."""

    failures: Repeats
    notes: Repeats


def predict_images(
    predictor: AnyPredictor,
    rows: Sequence[ImageRow],
    out: Path,
    workers: int = 1,
    overwrite: bool = False,
    before_saving: AfterImage | None = None,
    progress: Callable[[], None] | None = None,
    num_tta: int = 0,
    figures: FigureKind = "png",
) -> BatchResult:
    """Predict every row into the folder `out` (see io/runs.py). An image that fails goes to the ledger.

    Images done before are skipped, unless their files or rows have changed since, or their maps are not whole
    (inference/resume.py); `overwrite` deletes earlier predictions first. `before_saving` is called with every prediction
    just before it counts as done, and draws its figure, of the kind `figures`: an image without one is predicted again.
    What is to be said of many images is logged once. With `num_tta` scores are the mean over so many displaced windows
    (inference/augment.py); maps and the scores of parts are of the undisplaced one. Raises ValueError if `out` holds
    predictions of another checkpoint or with other settings, OSError if the disk is full, and as `writing_to` does, which
    holds `out`; what is written stays, and the same call continues.
    """
    try:
        with writing_to(out, "records", "maps", "overlays") as check_folder:
            settings = {**predictor.description(), "num_tta": num_tta}
            if salts := {row.salt for row in rows if row.salt}:
                settings["pseudonyms"] = sorted(salts)  # nobody's own ids beside them
            maker = open_run(out, rows, settings, overwrite)
            ledger = Ledger(out / "errors.csv")
            advance = progress or (lambda: None)
            kind = figures if before_saving is not None else None
            todo, failed = not_done(rows, out, maker, predictor.heatmaps, kind), 0
            told = Told(Repeats("not predicted", logger.warning), Repeats("remark", logger.warning))
            for image_id in {row.image_id for row in rows} - {row.image_id for row in todo}:
                ledger.remove(image_id)  # still there if a run was killed between the two
                advance()
            for row, ready in _read_ahead(predictor, todo, workers):
                failed += not _predict_one(predictor, row, ready, out, maker, before_saving, ledger, num_tta, told)
                check_folder()
                advance()
            told.failures.log_counts()
            told.notes.log_counts()
            write_predictions_csv(out)
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        raise OSError(
            error.errno,
            f"{out}: the disk is full. Expected about 10 MB for each image. Free space and start the same command again: "
            "finished images are kept",
        ) from error
    return BatchResult(len(todo) - failed, len(rows) - len(todo), failed)


def _predict_one(
    predictor: AnyPredictor,
    row: ImageRow,
    ready: Future[Loaded],
    out: Path,
    maker: Mapping[str, str],
    before_saving: AfterImage | None,
    ledger: Ledger,
    num_tta: int,
    told: Told,
) -> bool:
    """Whether it worked. Only a full disk is raised: every later image would fail too."""
    step = "read"
    try:
        inputs, image, crop, prepared = ready.result()
        step = "predict"
        prediction = predictor.predict(prepared, row)
        if num_tta:
            windows = displaced_windows(crop, predictor.prep, num_tta)
            prediction = replace(prediction, scores=predictor.mean_scores(windows))
        prediction = replace(prediction, findings=findings_of(prediction), reading=image.reading, source=image.source)
        prediction = replace(prediction, inputs=inputs, made_by=maker)
        step = "write"
        if before_saving is not None:
            before_saving(prediction, image, row)
        save_prediction(out, prediction)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            raise
        ledger.add(row.image_id, row.shown(row.path), step, error, row.shown(error))
        told.failures.add(row.image_id, row.path, f"{step}: {row.shown(error)}")
        return False
    ledger.remove(row.image_id)
    for note in prediction.notes:
        told.notes.add(row.image_id, row.path, note)
    return True


def _read_ahead(
    predictor: AnyPredictor, rows: Sequence[ImageRow], workers: int
) -> Iterator[tuple[ImageRow, Future[Loaded]]]:
    """Rows with their prepared images, in order; a few are read in threads while the network is busy."""

    def load(row: ImageRow) -> Loaded:
        inputs = inputs_of(row, predictor.heatmaps)  # first: a file replaced while it is read is then found changed
        image, crop = load_crop(row, predictor.prep, predictor.heatmaps)
        return inputs, image, crop, prepare_window(crop, predictor.prep)

    ahead = max(1, workers)
    with ThreadPoolExecutor(ahead) as pool:
        waiting: deque[tuple[ImageRow, Future[Loaded]]] = deque()
        for row in rows:
            waiting.append((row, pool.submit(load, row)))
            if len(waiting) > ahead:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
