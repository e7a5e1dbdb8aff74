"""A table of what was found: a line for every class of an image whose score is high enough."""

import csv
import io
from pathlib import Path

from mammoseg.config import Config
from mammoseg.data.predictions import Predicted, Predictions
from mammoseg.io.atomic import write_text


class Options(Config):
    least: float = 0.5
    """Score from which a class is listed."""


def export(predictions: Predictions, out: Path, options: Options) -> None:
    """Write `out`/findings.csv."""

    def lines(image: Predicted) -> list[tuple[str, str, float]]:
        shown = image.prediction
        return [(shown.image_id, name, score) for name, score in shown.scores.items() if score >= options.least]

    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("image_id", "class", "score"))
    for found in predictions.each(lines):
        writer.writerows(found)
    write_text(out / "findings.csv", table.getvalue())
