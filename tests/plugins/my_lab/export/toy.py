"""A table of what was found: a line for every finding whose score is high enough, with its box on the pixels of the file."""

import csv
import io
from pathlib import Path

from mammoseg.config import Config
from mammoseg.data.predictions import Predicted, Predictions
from mammoseg.io.atomic import write_text


class Options(Config):
    least: float = 0.5
    """Score from which a finding is listed."""


def export(predictions: Predictions, out: Path, options: Options) -> None:
    """Write `out`/findings.csv."""

    def lines(image: Predicted) -> list[tuple[object, ...]]:
        found = [finding for finding in image.prediction.findings if finding.score >= options.least]
        return [(image.prediction.image_id, each.label, each.score, *(each.box or each.peak)) for each in found]

    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("image_id", "class", "score", "top", "left", "bottom", "right"))
    for found in predictions.each(lines):
        writer.writerows(found)
    write_text(out / "findings.csv", table.getvalue())
