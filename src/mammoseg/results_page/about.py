"""What an evaluation was of, and what identifies its data and its model: rows of a name and a text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mammoseg import __version__
from mammoseg.bounded import sha256_of
from mammoseg.evaluation.results import IMAGES, NUMBERS, SETTINGS, Results, part

MOST_NAMED = 200
"""Failed images that are named."""
_COUNTS = (
    ("n_patients", "patients", ""),
    ("n_exams", "exams", ""),
    ("n_breasts", "breasts", ""),
    ("n_images", "images, or cases of a table, with a score", ""),
    ("n_failed", "images without a score, since their prediction failed", "left out of every number"),
    ("n_breasts_failed", "breasts none of whose images was predicted", "left out of every number"),
    ("n_of_training", "images of patients that the model has learned from", "scores on them are too good"),
)
_MODEL = ("model", "checkpoint_sha256", "mammoseg", "precision", "num_tta")
_MODEL_NAMES = {
    "checkpoint_sha256": "checkpoint, SHA-256",
    "mammoseg": "predicted by mammoseg",
    "num_tta": "displaced windows",
}


class Fact(NamedTuple):
    """A row."""

    name: str
    value: str
    remark: str = ""


def counts(results: Results) -> list[Fact]:
    """How many of what were evaluated, and how many were not; only what is known."""
    metrics = results.metrics
    found = [
        Fact(name, str(metrics[key]), remark if metrics[key] else "")
        for key, name, remark in _COUNTS
        if isinstance(metrics.get(key), int)
    ]
    window = part(metrics, "window")
    if below := window.get("images_below"):
        known = window.get("images_known", "?")
        found.append(Fact("images of which the model saw too little", f"{below} of {known}", "they count all the same"))
    return [*found, *_unknown(results), *_masks(metrics)]


def failed(results: Results) -> list[str]:
    """The images that failed in prediction, the first of them."""
    names = results.metrics.get("failed")
    return [str(name) for name in names[:MOST_NAMED]] if isinstance(names, list) else []


def fingerprints(results: Results) -> list[Fact]:
    """Hashes, versions and seeds of data, model and files."""
    metrics = results.metrics
    manifest, table = part(metrics, "manifest"), part(metrics, "table")
    rows = [
        *(fact for number, each in enumerate(parts_of(results), start=1) for fact in _model(each, number)),
        Fact("table of images", str(manifest.get("file", ""))),
        Fact("table of images, SHA-256", str(manifest.get("sha256", ""))),
        Fact("column of the scores", str(table.get("score", ""))),
        *(Fact(f"{file.get('file', '')}, SHA-256", str(file.get("sha256", ""))) for file in _files(table)),
        Fact("split", str(metrics.get("split") or "all")),
        Fact("evaluated by mammoseg", str(metrics.get("version", ""))),
        Fact("date of the evaluation", str(metrics.get("date") or "")),
        Fact("bootstrap replicates", str(metrics.get("bootstrap", ""))),
        Fact("seed", str(metrics.get("seed", ""))),
        *(
            Fact(f"{name}, SHA-256", sha)
            for name in (SETTINGS, NUMBERS, IMAGES)
            if (sha := _sha256(results.folder / name))
        ),
        Fact("page by mammoseg", __version__),
    ]
    return [row for row in rows if row.value]


def parts_of(results: Results) -> list[Mapping[str, Any]]:
    """What is known of each predictions folder: one, or the parts of an evaluation that has several; none for a table."""
    predictions = part(results.metrics, "predictions")
    parts = predictions.get("parts")
    found = parts if isinstance(parts, list) else [predictions] if predictions else []
    return [each for each in found if isinstance(each, Mapping)]


def run_of(results: Results) -> Mapping[str, Any]:
    """run.json of the predictions, of several parts that of the first."""
    parts = parts_of(results)
    return part(parts[0], "run") if parts else {}


def model_name(results: Results) -> str:
    """What the model calls itself; of scores in a table, what their column is called; of systems together, that they are."""
    if combined := combined_systems(results):
        return f"the weighted mean of {' and '.join(combined)}"
    names = (run_of(results).get("model"), part(results.metrics, "table").get("score"))
    return next((name for name in names if isinstance(name, str) and name), "a model")


def combined_systems(results: Results) -> dict[str, str]:
    """Name -> model, checkpoint and weight, of systems whose scores were averaged (`mammoseg combine`); else none."""
    weights = part(results.metrics, "combined", "weights")
    found = {}
    for (name, weight), each in zip(weights.items(), parts_of(results), strict=False):
        run = part(each, "run")
        checkpoint = str(run.get("checkpoint_sha256", ""))[:16]
        of = [str(run.get("model", "a model")), *([f"checkpoint SHA-256 {checkpoint}"] if checkpoint else [])]
        found[name] = f"{', '.join(of)}, weight {f'{weight:.3g}' if isinstance(weight, float) else weight}"
    return found


def _model(predictions: Mapping[str, Any], number: int) -> list[Fact]:
    run, of = part(predictions, "run"), f" of part {number}" if number > 1 else ""
    facts = [Fact(f"{_MODEL_NAMES.get(name, name)}{of}", str(run[name])) for name in _MODEL if _is_plain(run.get(name))]
    return [
        *facts,
        Fact(f"settings of the prediction (run.json){of}, SHA-256", str(predictions.get("run_sha256", ""))),
        Fact(f"scores (predictions.csv){of}, SHA-256", str(predictions.get("table_sha256", ""))),
    ]


def _files(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Tables that scores and labels were read from."""
    files = table.get("files")
    found = [*(files if isinstance(files, list) else []), table.get("labels_file")]
    return [file for file in found if isinstance(file, Mapping)]


def _unknown(results: Results) -> list[Fact]:
    """Of each class and level how many labels nobody knows."""
    found = []
    for level, classes in part(results.metrics, "scores").items():
        for label in part(results.metrics, "scores", level) if isinstance(classes, Mapping) else ():
            final = part(results.metrics, "scores", level, label, "final")
            if final.get("unknown"):
                text = f"{level}s whose label {label} is unknown"
                found.append(Fact(text, str(final["unknown"]), "left out of the numbers of this class, never negative"))
    return found


def _masks(metrics: Mapping[str, Any]) -> list[Fact]:
    found = []
    for label in part(metrics, "maps"):
        table = part(metrics, "maps", label)
        if "images_with_mask" in table:
            missing = table.get("positive_without_mask") or 0
            remark = f"{missing} positive images have none" if missing else ""
            found.append(Fact(f"images with a mask of {label}", str(table["images_with_mask"]), remark))
    return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError:
        return ""
