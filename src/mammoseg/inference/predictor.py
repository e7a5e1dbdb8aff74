"""Predictor: an engine and mammograms -> Predictions, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mammoseg import plugins
from mammoseg.calibration.stored import Calibration
from mammoseg.data.load import load_crop
from mammoseg.data.manifest import ImageRow
from mammoseg.data.units import view_of
from mammoseg.data.unlike import as_notes, differences
from mammoseg.inference.applied import calibration_for
from mammoseg.inference.augment import Displaced, displaced_windows
from mammoseg.inference.engine import Array, Engine, Inputs, Outputs
from mammoseg.inference.ensemble import Ensemble
from mammoseg.nn.checkpoint import members_of
from mammoseg.nn.inference import Precision
from mammoseg.prep.breast import BreastCrop, PrepError
from mammoseg.prep.pipeline import Prepared, crop_breast, prepare_window
from mammoseg.records.detections import findings_of_boxes
from mammoseg.records.image import Mammogram
from mammoseg.records.prediction import Patch, Prediction, Scores
from mammoseg.records.saliency import findings_of


@dataclass(frozen=True)
class Loaded:
    """One image, ready for the engine."""

    row: ImageRow
    image: Mammogram
    crop: BreastCrop
    prepared: Prepared


class Predictor:
    """Reads, prepares, asks the engine, and puts what it answers back on the pixels of the image."""

    calibration: Calibration | None = None
    """Of the scores of this engine, if there is one."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.prep = engine.prep

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the predictions, as run.json has it."""
        return self.engine.description() | {"num_tta": self.engine.displaced}

    @property
    def of_several(self) -> bool:
        """Whether several checkpoints predict together."""
        engine = self.engine.engine if isinstance(self.engine, Displaced) else self.engine
        return isinstance(engine, Ensemble)

    def load(self, row: ImageRow) -> Loaded:
        """Raises ImageReadError, HeatmapError or PrepError."""
        image, crop = load_crop(row, self.prep, self.engine.sees.heatmaps)
        return Loaded(row, image, crop, prepare_window(crop, self.prep))

    def prepare(self, row: ImageRow, image: Mammogram) -> Loaded:
        """An image in memory; `row` says whose it is. Raises PrepError."""
        crop = crop_breast(image, self.prep)
        return Loaded(row, image, crop, prepare_window(crop, self.prep))

    def predict(self, image: ImageRow | Loaded) -> Prediction:
        """One image. A model of several views sees it without the others.

        Raises like `load`, and PrepError for a view that the model does not know.
        """
        loaded = self.load(image) if isinstance(image, ImageRow) else image
        check_view(loaded.row, self.engine.sees.views)
        shown = view_of(loaded.row, self.engine.sees.views)
        unit = [loaded if name == shown else None for name in self.engine.sees.views] or [loaded]
        return self.predict_unit(unit)[0]

    def predict_unit(self, unit: Sequence[Loaded | None]) -> list[Prediction]:
        """The images that the engine looks at together, in the order of its views -> their predictions. None: not there."""
        there = np.array([[loaded is not None for loaded in unit]])
        windows = [None if loaded is None else loaded.prepared for loaded in unit]
        displaced = zip(
            *(
                [None] * self.engine.displaced
                if loaded is None
                else displaced_windows(loaded.crop, self.prep, self.engine.displaced)
                for loaded in unit
            ),
            strict=True,
        )
        out = self.engine(
            Inputs(self._stacked(windows), there if self.engine.sees.views else None, map(self._stacked, displaced))
        )
        absent = [name for name, loaded in zip(self.engine.sees.views, unit, strict=False) if loaded is None]
        notes = (f"views that were not there beside it: {', '.join(absent)}",) if absent else ()
        return [self._prediction(loaded, out, b, notes) for b, loaded in enumerate(unit) if loaded is not None]

    def _stacked(self, windows: Sequence[Prepared | None]) -> Array:
        """(B, C, H, W); black where there is none, and beside windows that are smaller than others."""
        stack_BCHW = np.zeros((len(windows), self.engine.sees.channels, *self.prep.canvas), np.float32)
        for b, window in enumerate(windows):
            if window is not None:
                rows, cols = window.window.shape
                stack_BCHW[b, :, :rows, :cols] = window.channels(self.engine.sees.heatmaps)
        return stack_BCHW

    def _prediction(self, loaded: Loaded, out: Outputs, b: int, notes: tuple[str, ...]) -> Prediction:
        row, prepared, trained_on = loaded.row, loaded.prepared, self.engine.trained_on
        unlike = trained_on and prepared.facts and differences(trained_on, prepared.facts, row.manufacturer)
        prediction = Prediction(
            image_id=row.image_id,
            patient_id=row.patient_id,
            exam_id=row.exam_id,
            laterality=row.laterality,
            view=row.view,
            scores=self._scores(out.y_BK[b]),
            grid=prepared.grid,
            maps={name: map_BKhw[b] for name, map_BKhw in out.maps.items()},
            patches=self._patches(out, b),
            patches_of=self.engine.patches_of,
            parts={name: self._scores(y_BK[b]) for name, y_BK in out.parts.items() if np.isfinite(y_BK[b]).all()},
            reading=loaded.image.reading,
            source=loaded.image.source,
            facts=prepared.facts,
            notes=(*prepared.notes, *notes, *(as_notes(unlike) if unlike else ())),
            of_training=any(patients.knows(row.patient_id) for patients in self.engine.learned_from),
        )
        if out.boxes is None:
            return replace(prediction, findings=findings_of(prediction))
        found = zip(
            self.engine.classes, zip(out.boxes.boxes_BKD4[b], out.boxes.scores_BKD[b], strict=True), strict=True
        )
        return replace(prediction, findings=findings_of_boxes(dict(found), prepared.grid))

    def _scores(self, y_K: Array) -> Scores:
        return dict(zip(self.engine.classes, y_K.tolist(), strict=True))

    def _patches(self, out: Outputs, b: int) -> tuple[Patch, ...]:
        if out.patches is None:
            return ()
        corners_P2, size, y_BPK, attention_BP = out.patches
        weights = [None] * len(corners_P2[b]) if attention_BP is None else attention_BP[b].tolist()
        found = zip(corners_P2[b].tolist(), y_BPK[b], weights, strict=True)
        return tuple(Patch(row, col, size, self._scores(y_K), weight) for (row, col), y_K, weight in found)


def check_view(row: ImageRow, views: Sequence[str]) -> None:
    """Raises PrepError for an image that a model of these views does not look at."""
    if views and view_of(row, views) is None:
        raise PrepError(
            f"{row.image_id}: shows {row.laterality} {row.view}. Expected one of the views that the model sees: "
            f"{', '.join(views)}. Leave it out."
        )


def open_predictor(
    checkpoints: Path | Sequence[Path],
    device: str = "auto",
    sets: Sequence[str] = (),
    precision: Precision = "32-true",
    displaced: int = 0,
    engine: str = "pytorch",
    calibration: Path | None = None,
) -> Predictor:
    """One checkpoint as it is, several, or a folder of several, as their ensemble, each opened by the plug-in `engine`; with
    `displaced` windows. `calibration` is a file that `mammoseg calibrate` wrote; None: that of the one checkpoint, if it has one.

    Raises CheckpointError, ConfigError and PluginError, and CalibrationError for a calibration of other scores.
    """
    given = [checkpoints] if isinstance(checkpoints, Path) else list(checkpoints)
    paths = [member for path in given for member in members_of(path) or [path]]
    plugin = plugins.load(plugins.ENGINES, engine)
    members: list[Engine] = [plugin.open_engine(path, device, sets, precision) for path in paths]
    whole = members[0] if len(members) == 1 else Ensemble(members, list(map(str, paths)))
    predictor = Predictor(Displaced(whole, displaced) if displaced else whole)
    predictor.calibration = calibration_for(predictor.settings, given, calibration)
    return predictor
