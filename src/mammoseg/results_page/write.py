"""report.html: an evaluation as one page that needs nothing beside it, for the screen, for paper and for a screen reader."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mammoseg.data.manifest import Manifest
from mammoseg.data.predictions import Predictions
from mammoseg.evaluation.calibration import TITLES as CALIBRATION
from mammoseg.evaluation.results import Results, read_results
from mammoseg.io.atomic import write_text
from mammoseg.io.errors import RunFileError
from mammoseg.records.colours import looks
from mammoseg.results_page import about, claim, tripod_ai
from mammoseg.results_page.cases import worst_cases
from mammoseg.results_page.checklist import filled
from mammoseg.results_page.citations import Cited
from mammoseg.results_page.figures import figures_in, links_to
from mammoseg.results_page.methods import methods
from mammoseg.results_page.numbers import HEADS, sections, spoken, summary
from mammoseg.results_page.pages import PAGES

logger = logging.getLogger(__name__)

NAME = "report.html"
_TITLES = {
    "scores": "Scores",
    "calibration": "Calibration",
    "maps": "Maps",
    "ratio to random": "Maps against noise",
    "operating points": "Operating points",
    "difference": "Final against global map",
}
_FIGURES = {
    "roc": "ROC curves",
    "pr": "Precision and recall",
    "reliability": "Reliability of the scores as probabilities",
    "decision_curve": "Decision curves",
    "forest": "AUC within groups",
    "froc": "Free-response ROC curves",
    "dice_scatter": "Dice of each image",
}
_FILES = ("metrics.json", "metrics.csv", "per_image.csv", "lesions.csv", "marks.csv", "spread.csv")


def write_results_page(folder: Path, predictions: Sequence[Path] = (), manifest: Manifest | None = None) -> Path:
    """Write report.html into the folder of an evaluation, of what lies there; returns its path.

    With the `predictions` that were evaluated, one folder or parts of disjoint images, the worst cases have pictures, with their
    `manifest` the true lesions, too. Raises ResultsError where the folder holds no evaluation.
    """
    results = read_results(folder)
    opened = [_opened(folder, part, manifest) for part in predictions]
    values = page_values(results, [part for part in opened if part])
    path = folder / NAME
    write_text(path, PAGES.render("results.html", values))
    return path


def page_values(results: Results, predictions: Sequence[Predictions]) -> dict[str, Any]:
    """Values of templates/results.html."""
    cited = Cited()
    text = methods(results, cited)
    main = summary(results.numbers, results.titles)
    checklists = [
        (title, cited(key), filled(items, results))
        for title, key, items in (
            (claim.TITLE, "claim", claim.ITEMS),
            (tripod_ai.TITLE, "tripod", tripod_ai.ITEMS),
        )
    ]
    return {
        "name": about.model_name(results),
        "counts": about.counts(results),
        "failed": about.failed(results),
        "n_failed": results.metrics.get("n_failed") or 0,
        "summary": main,
        "sections": sections(results.numbers, {**CALIBRATION, **results.titles}, _TITLES),
        "heads": HEADS,
        "figures": figures_in(results.folder, _FIGURES, {"roc": spoken(main, results.titles.get("auc", ""))}),
        "files": links_to(results.folder, _FILES),
        "cases": worst_cases(results, predictions),
        "pictured": bool(predictions),
        "classes": looks(results.classes),
        "fingerprints": about.fingerprints(results),
        "methods": text,
        "checklists": checklists,
        "references": cited.works,
    }


def _opened(folder: Path, predictions: Path, manifest: Manifest | None) -> Predictions | None:
    """The predictions with their pictures; None where they cannot be opened: the page does without."""
    try:
        return Predictions(predictions, manifest, folder, step="results page")
    except RunFileError as error:
        logger.warning("results page: no pictures of the worst cases: %s", error)
        return None
