"""Many images: what fails is noted and the rest goes on, a stopped run continues, several processes may share a folder."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mammoseg.data.manifest import ImageRow
from mammoseg.data.units import Unit, units_of
from mammoseg.inference.pipeline import DISK_FULL, AfterImage, Outcome, Pipeline, Remarks, Work
from mammoseg.inference.predictor import Predictor, check_view
from mammoseg.inference.resume import not_done, open_run
from mammoseg.io.calibration import keep_calibration
from mammoseg.io.claims import Claims
from mammoseg.io.failures import Failures
from mammoseg.io.figures import FigureKind
from mammoseg.io.outputs import writing_to
from mammoseg.io.repeats import Repeats
from mammoseg.io.runs import record_state
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.prep.breast import PrepError

logger = logging.getLogger(__name__)

_PAUSE = 0.2  # seconds, before looking again at what others work on


@dataclass(frozen=True)
class BatchResult:
    """How many images were predicted now, were done before or by another process, and failed (see errors.csv)."""

    predicted: int
    done_before: int
    failed: int


def predict_images(
    predictor: Predictor,
    rows: Sequence[ImageRow],
    out: Path,
    workers: int = 1,
    overwrite: bool = False,
    before_saving: AfterImage | None = None,
    progress: Callable[[], None] | None = None,
    figures: FigureKind = "png",
    remarks: Remarks | None = None,
) -> BatchResult:
    """Predict every row into the folder `out` (see io/runs.py). An image that fails is noted there.

    Images done before are skipped, unless their files or rows have changed since, or their maps are not whole
    (inference/resume.py); `overwrite` deletes earlier predictions first. `before_saving` is called with every prediction
    just before it counts as done, in another thread, and draws its figure, of the kind `figures`: an image without one is
    predicted again. `remarks` tells what else is to be noted of an image, in another thread too, or raises ImageReadError. What is
    to be said of many images is logged once. Other processes may predict into `out` at the same time, without `overwrite`: each
    image is one process' own. Raises ValueError if `out` holds predictions of another checkpoint or with other settings, OSError
    if the disk is full, and as `writing_to` does; what is written stays, and the same call continues.
    """
    engine, settings = predictor.engine, predictor.settings
    if salts := {row.salt for row in rows if row.salt}:
        settings["pseudonyms"] = sorted(salts)  # nobody's own ids beside them
    try:
        with writing_to(out, "records", "maps", "overlays", "failures", joins=not overwrite) as held:
            maker = open_run(out, rows, settings, overwrite)
            before = {row.image_id: record_state(out, row.image_id) for row in rows}  # first: others may be at work
            todo = not_done(rows, out, maker, engine.sees.heatmaps, figures if before_saving else None)
            run = _Run(out, before, progress or (lambda: None), held.check)
            keep_calibration(out, predictor.calibration)
            run.begin(rows, todo, held.alone)
            held.share()
            run.predict(todo, Pipeline(predictor, out, maker, before_saving, remarks, max(1, workers)))
            run.failures.write_table()
            write_predictions_csv(out)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise OSError(
            error.errno,
            f"{out}: the disk is full. Expected about 10 MB for each image. Free space and start the same command again: "
            "finished images are kept",
        ) from error
    return BatchResult(run.predicted, len(rows) - run.predicted - run.failed, run.failed)


class _Run:
    """What becomes of the images of one call."""

    def __init__(
        self,
        out: Path,
        before: Mapping[str, int | None],
        progress: Callable[[], None],
        check_folder: Callable[[], None],
    ) -> None:
        """`before`: the state of the record of each image, before it was known what is to be predicted."""
        self.out, self.before, self.progress, self.check_folder = out, before, progress, check_folder
        self.failures, self.claims = Failures(out), Claims(out)
        self.told_failures = Repeats("not predicted", logger.warning)
        self.told_notes = Repeats("remark", logger.warning)
        self.predicted = self.failed = 0

    def begin(self, rows: Sequence[ImageRow], todo: Sequence[ImageRow], alone: bool) -> None:
        """Forget failures of images that are done, since a run may be killed between the two, and of those tried again."""
        if alone:
            self.claims.clear()
        left = {row.image_id for row in todo}
        for row in rows:
            if alone or row.image_id not in left:
                self.failures.remove(row.image_id)
            if row.image_id not in left:
                self.progress()

    def predict(self, todo: Sequence[ImageRow], pipeline: Pipeline) -> None:
        """All of them, or wait for those that other processes work on."""
        views = pipeline.predictor.engine.sees.views
        for row in todo:
            try:
                check_view(row, views)
            except PrepError as error:
                self._take(Outcome(row, "read", error=error))
        waiting = units_of(todo, views)
        predicted: set[str] = set()
        with self.claims:
            while waiting:
                elsewhere: list[Unit] = []
                for outcome in pipeline.run(self._claimed(waiting, elsewhere, predicted)):
                    self._take(outcome)
                    self.claims.give_back(outcome.row.image_id)
                    self.check_folder()
                if waiting := elsewhere:
                    self.check_folder()
                    time.sleep(_PAUSE)
        self.told_failures.log_counts()
        self.told_notes.log_counts()

    def _claimed(self, units: Sequence[Unit], elsewhere: list[Unit], predicted: set[str]) -> Iterator[Work]:
        """The units that are ours; those of others come into `elsewhere`."""
        for unit in units:
            rows = {row.image_id: row for row in unit if row is not None and row.image_id not in predicted}
            if not self.claims.take(rows):
                elsewhere.append(unit)
                continue
            predicted |= rows.keys()
            states = {name: record_state(self.out, name) for name in rows}
            done = [row for name, row in rows.items() if states[name] not in (None, self.before[name])]
            failed = [row for name, row in rows.items() if row not in done and name in self.failures]
            for row in (*done, *failed):  # by others, meanwhile
                self.claims.give_back(row.image_id)
                self.progress()
            self.failed += len(failed)
            if own := rows.keys() - {row.image_id for row in (*done, *failed)}:
                yield Work(unit, frozenset(own))

    def _take(self, outcome: Outcome) -> None:
        row = outcome.row
        if outcome.prediction is None:
            error = outcome.error or ValueError("unknown")
            self.failures.add(row.image_id, row.shown(row.path), outcome.step, error, row.shown(error))
            self.told_failures.add(row.image_id, row.path, f"{outcome.step}: {row.shown(error)}")
            self.failed += 1
        else:
            self.failures.remove(row.image_id)
            for note in outcome.prediction.notes:
                self.told_notes.add(row.image_id, row.path, note)
            self.predicted += 1
        self.progress()
