"""Figures for papers, of chosen images and the predictions of one model or several (drawing/plate.py)."""

from collections.abc import Sequence
from pathlib import Path

from mammoseg.data.manifest import Manifest
from mammoseg.data.predictions import Predictions
from mammoseg.drawing.plate import Shown, plate
from mammoseg.io.atomic import atomic_path
from mammoseg.io.figures import FIGURE_KINDS, save_figure
from mammoseg.io.runs import read_run


class PlateError(ValueError):
    """A figure that cannot be drawn as asked for."""


def write_plate(
    folders: Sequence[Path],
    image_ids: Sequence[str],
    out: Path,
    names: Sequence[str] = (),
    manifest: Manifest | None = None,
    width_mm: float = 170.0,
) -> None:
    """Write `out`, whose suffix says what it is: .pdf, .svg or .png. A row for each image, columns for each folder.

    `names` of the models, one for each folder; without, their types, numbered where they are the same. Raises PlateError,
    RunFileError for an image without a prediction, ImageReadError for one whose file is missing or has changed.
    """
    kind = out.suffix.lower().removeprefix(".")
    known = [known for known in FIGURE_KINDS if known == kind]
    if not known:
        raise PlateError(
            f"{out}: is no kind of figure. Expected {', '.join(FIGURE_KINDS)} at the end of the name. Correct it."
        )
    if names and not len(set(names)) == len(names) == len(folders):
        raise PlateError(
            f"{len(names)} names for {len(folders)} folders of predictions. Expected a different one for each. Give --name as "
            "often as --predictions."
        )
    models = dict(
        zip(names or _types(folders), [Predictions(folder, manifest, out.parent) for folder in folders], strict=True)
    )
    figure = plate([_shown(image_id, models) for image_id in image_ids], width_mm)
    with atomic_path(out) as temporary:
        save_figure(figure, temporary, known[0])


def _types(folders: Sequence[Path]) -> list[str]:
    types = [str(read_run(folder).get("model", "model")) for folder in folders]
    return [name if types.count(name) == 1 else f"{name} {number}" for number, name in enumerate(types, start=1)]


def _shown(image_id: str, models: dict[str, Predictions]) -> Shown:
    """Pixels, truth and patches are those of the first model."""
    found = {name: predictions.open(image_id) for name, predictions in models.items()}
    first = next(iter(found.values()))
    predictions = {name: predicted.prediction for name, predicted in found.items()}
    for name, prediction in predictions.items():
        if prediction.source and first.prediction.source and prediction.source.sha256 != first.prediction.source.sha256:
            raise PlateError(
                f"{image_id}: {name} was predicted from another file than {next(iter(found))}. Expected the same image in all "
                "folders. Predict it again."
            )
    return Shown(image_id, first.image().pixels, predictions, first.truth().masks, first.prep)
