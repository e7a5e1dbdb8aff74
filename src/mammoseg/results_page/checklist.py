"""Reporting checklists with what an evaluation knows filled in; the rest is for the authors.

An item is counted as known only where the text beside it says what was done or found. That a paper reports it is up to the authors.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mammoseg.evaluation.calibration_cases import CALIBRATED
from mammoseg.evaluation.results import Results, part
from mammoseg.results_page.about import combined_systems, model_name, run_of
from mammoseg.results_page.methods import prepared
from mammoseg.wording import counted

Answer = Callable[[Results], str]
"""What this evaluation says of an item; empty: nothing."""


class Item(NamedTuple):
    """An item of a checklist."""

    number: str
    asks: str
    """What it asks for, in our words."""
    answer: Answer | None = None


class Filled(NamedTuple):
    """An item with its answer."""

    number: str
    asks: str
    answer: str
    """Empty: for the authors."""


def filled(items: tuple[Item, ...], results: Results) -> list[Filled]:
    """All items, in their order."""
    return [Filled(item.number, item.asks, item.answer(results) if item.answer else "") for item in items]


def preparation(results: Results) -> str:
    said = " ".join(prepared(part(run_of(results), "prep")))
    return f"{said} The same for all images; all settings are in metrics.json, predictions.run.prep." if said else ""


def missing(results: Results) -> str:
    said = []
    failed = results.metrics.get("n_failed")
    if isinstance(failed, int):
        said.append(f"{counted(failed, 'image')} without a prediction left out and counted.")
    said.append(
        "Unknown labels left out of the numbers of their class and counted, never taken for negative; nothing imputed."
    )
    return " ".join(said)


def disjoint(results: Results) -> str:
    learned = results.metrics.get("n_of_training")
    if not isinstance(learned, int) or part(results.metrics, "table"):
        return ""
    if learned:
        return (
            f"By patient: {counted(learned, 'image')} evaluated here are of patients that the model has learned from."
        )
    return (
        "By patient: no image is of a patient whom the checkpoint notes as learned from (imported weights note none)."
    )


def software(results: Results) -> str:
    predicted = run_of(results).get("mammoseg")
    of = f"Predictions by mammoseg {predicted}, " if predicted else ""
    return f"{of}{'e' if of else 'E'}valuation by mammoseg {results.metrics.get('version', '')}."


def model(results: Results) -> str:
    if combined := combined_systems(results):
        systems = "; ".join(f"{name}: {of}" for name, of in combined.items())
        return f"The weighted mean of the scores of {systems}. Their settings are in metrics.json, predictions.parts."
    checkpoint = run_of(results).get("checkpoint_sha256")
    if not checkpoint:
        return ""
    return f"{model_name(results)}, checkpoint SHA-256 {checkpoint}; its settings are in metrics.json, predictions.run.network."


def measures(results: Results) -> str:
    """The metrics whose numbers are there, not all that there could be."""
    measured = set(results.numbers.get("metric", ()))
    titles = ", ".join(title for name, title in results.titles.items() if name in measured)
    more = [
        name.replace("_", " ") for name in ("operating_points", "calibration", "marks") if part(results.metrics, name)
    ]
    return f"{titles}{'; ' if more and titles else ''}{', '.join(more)}." if titles or more else ""


def uncertainty(results: Results) -> str:
    replicates = results.metrics.get("bootstrap")
    if not replicates:
        return ""
    return f"95 % intervals from {replicates} bootstrap replicates of patients, seed {results.metrics.get('seed', 'unknown')}."


def subgroups(results: Results) -> str:
    columns = list(part(results.metrics, "by"))
    return f"By {', '.join(columns)}: see the tables." if columns else ""


def maps(results: Results) -> str:
    masks = [
        f"{part(results.metrics, 'maps', label).get('images_with_mask', 0)} with a mask of {label}"
        for label in part(results.metrics, "maps")
        if part(results.metrics, "maps", label, "maps")
    ]
    return (
        f"Saliency maps, compared with outlines of lesions ({', '.join(masks)}) and with maps of noise."
        if masks
        else ""
    )


def flow(results: Results) -> str:
    known = {key: results.metrics.get(key) for key in ("n_patients", "n_exams", "n_images", "n_failed")}
    said = [f"{value} {key.removeprefix('n_')}" for key, value in known.items() if isinstance(value, int)]
    return f"{', '.join(said)}: see what was evaluated." if said else ""


def outcomes(results: Results) -> str:
    """Positive cases of each class."""
    said = []
    levels: Mapping[str, object] = part(results.metrics, "scores")
    level = "breast" if "breast" in levels else next(iter(levels), "")
    for label in part(results.metrics, "scores", level):
        final = part(results.metrics, "scores", level, label, "final")
        if "positives" in final:
            said.append(f"{label}: {final['positives']} of {final.get('n', '?')} {level}s positive")
    return f"{'; '.join(said)}." if said else ""


def performance(results: Results) -> str:
    return "See the main results and the tables." if len(results.numbers) else ""


def failures(results: Results) -> str:
    return (
        "See the worst cases: positives with the lowest and negatives with the highest scores."
        if results.classes
        else ""
    )


def thresholds(results: Results) -> str:
    return (
        "Operating points are in the tables, with how each was chosen."
        if part(results.metrics, "operating_points")
        else ""
    )


def updating(results: Results) -> str:
    """Whether scores were recalibrated."""
    calibrated = any(CALIBRATED in sources for sources in part(results.metrics, "calibration").values())
    return "A calibration that is stored with the predictions: see the section on calibration." if calibrated else ""


def output(results: Results) -> str:
    if not results.classes or part(results.metrics, "table"):
        return ""  # a table of scores does not say what its model gives
    return f"A score in [0, 1] for each image and class, and a saliency map. {thresholds(results)}".strip()
