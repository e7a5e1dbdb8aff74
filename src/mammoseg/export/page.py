"""One HTML page to look through: the scores of all images, and a figure of each."""

from pathlib import Path

from mammoseg.config import Config
from mammoseg.data.predictions import Predicted, Predictions
from mammoseg.drawing.overlay import overlay_sheet
from mammoseg.drawing.page import Figure, write_page


class Options(Config):
    title: str = "Predictions"


def export(predictions: Predictions, out: Path, options: Options) -> None:
    """Write `out`/index.html and `out`/figures/<image_id>.png."""

    def draw(image: Predicted) -> tuple[dict[str, str], Figure]:
        prediction, truth = image.prediction, image.truth()
        sheet = overlay_sheet(image.image().pixels, prediction, truth.masks, image.prep, truth.unread)
        figure = Figure(out / "figures" / f"{prediction.image_id}.png", prediction.image_id)
        sheet.save(figure.path, "png")
        scores = {name: f"{score:.3f}" for name, score in prediction.scores.items()}
        return {"exam": prediction.exam_id, "image": prediction.image_id} | scores, figure

    drawn = predictions.each(draw)
    intro = f"{len(drawn)} of {len(predictions.image_ids)} images of {predictions.folder.name}."
    write_page(out / "index.html", options.title, intro, [row for row, _ in drawn], [figure for _, figure in drawn])
