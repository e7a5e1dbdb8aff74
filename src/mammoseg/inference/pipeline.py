"""Images on their way: while the network runs, the next ones are read and prepared, and those before are drawn and written.

    read pool -> engine, in as many threads as serve it best -> write pool

At most as many units wait before the engine, and as many images behind it, as the other pools have threads.
"""

import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from mammoseg.data.manifest import ImageRow
from mammoseg.data.units import Unit
from mammoseg.inference.predictor import Loaded, Predictor
from mammoseg.inference.resume import Inputs, heatmap_hashes, inputs_with
from mammoseg.io.runs import save_prediction
from mammoseg.records.image import Mammogram
from mammoseg.records.prediction import Prediction

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

AfterImage = Callable[[Prediction, Mammogram, ImageRow], None]
Remarks = Callable[[ImageRow, Mammogram], Sequence[str]]


@dataclass(frozen=True)
class Work:
    """Images that the engine looks at together."""

    unit: Unit
    own: frozenset[str]
    """Those that are to be predicted; the others are looked at beside them."""


@dataclass(frozen=True)
class Outcome:
    """What has become of an image."""

    row: ImageRow
    step: str
    """The last one that was taken: read, predict or write."""
    prediction: Prediction | None = None
    """None: it failed."""
    image: Mammogram | None = None
    """What is still needed for the figure."""
    error: BaseException | None = None


@dataclass(frozen=True)
class Pipeline:
    """All that the images of a run share."""

    predictor: Predictor
    out: Path
    made_by: Mapping[str, str]
    before_saving: AfterImage | None
    remarks: Remarks | None
    workers: int
    """Threads of each pool."""

    def run(self, works: Iterable[Work]) -> Iterator[Outcome]:
        """What becomes of every image that is to be predicted. Only a full disk is raised: every later image would fail too."""
        engine = self.predictor.engine
        computing: deque[Future[list[Outcome]]] = deque()
        writing: deque[Future[Outcome]] = deque()
        with (
            ThreadPoolExecutor(self.workers) as readers,
            ThreadPoolExecutor(engine.at_once, initializer=engine.enter_thread) as engines,
            ThreadPoolExecutor(self.workers) as writers,
        ):

            def moved_on(most: int) -> Iterator[Outcome]:
                """Take what is computed, oldest first, until at most so many units are on their way."""
                while len(computing) > most:
                    writing.extend(writers.submit(self._written, outcome) for outcome in computing.popleft().result())
                while len(writing) > (self.workers if most else 0):
                    yield writing.popleft().result()

            for work in works:
                reads = [None if row is None else readers.submit(self._read, row) for row in work.unit]
                computing.append(engines.submit(self._computed, work, reads))
                yield from moved_on(self.workers + engine.at_once)
            yield from moved_on(0)

    def _read(self, row: ImageRow) -> tuple[Inputs, Sequence[str], Loaded]:
        beside = heatmap_hashes(
            row, self.predictor.engine.sees.heatmaps
        )  # first: a file replaced meanwhile is found changed
        loaded = self.predictor.load(row)
        source = loaded.image.source
        remarks = self.remarks(row, loaded.image) if self.remarks else ()
        return inputs_with(row, [source.sha256 if source else None, *beside]), remarks, loaded

    def _computed(
        self, work: Work, reads: Sequence[Future[tuple[Inputs, Sequence[str], Loaded]] | None]
    ) -> list[Outcome]:
        """Predict a unit. What cannot be read is, for the others, not there."""
        outcomes: list[Outcome] = []
        unit: list[Loaded | None] = []
        known: dict[str, Inputs] = {}
        remarks: dict[str, Sequence[str]] = {}
        for row, read in zip(work.unit, reads, strict=True):
            image = None
            if row is not None and read is not None:
                if (error := read.exception()) is None:
                    known[row.image_id], remarks[row.image_id], image = read.result()
                elif row.image_id in work.own:
                    outcomes.append(Outcome(row, "read", error=error))
            unit.append(image)
        own = [image for image in unit if image is not None and image.row.image_id in work.own]
        if own:
            try:
                predictions = {prediction.image_id: prediction for prediction in self.predictor.predict_unit(unit)}
            except Exception as error:
                return [*outcomes, *(Outcome(image.row, "predict", error=error) for image in own)]
            for image in own:
                name = image.row.image_id
                notes = (*predictions[name].notes, *remarks[name])
                complete = replace(predictions[name], inputs=known[name], notes=notes, made_by=self.made_by)
                outcomes.append(Outcome(image.row, "write", complete, image.image))
        return outcomes

    def _written(self, outcome: Outcome) -> Outcome:
        """Draw and save, if there is something."""
        prediction, image = outcome.prediction, outcome.image
        if prediction is None or image is None:
            return outcome
        try:
            if self.before_saving is not None:
                self.before_saving(prediction, image, outcome.row)
            save_prediction(self.out, prediction)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise
            return Outcome(outcome.row, "write", error=error)
        return replace(outcome, image=None)
