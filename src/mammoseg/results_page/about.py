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
    ("n_images", "images with a score", ""),
    ("n_failed", "images that failed in prediction", "left out of every number"),
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
    predictions, manifest = part(metrics, "predictions"), part(metrics, "manifest")
    run = part(predictions, "run")
    model = [Fact(_MODEL_NAMES.get(name, name), str(run[name])) for name in _MODEL if _is_plain(run.get(name))]
    rows = [
        *model,
        Fact("settings of the prediction (run.json), SHA-256", str(predictions.get("run_sha256", ""))),
        Fact("scores (predictions.csv), SHA-256", str(predictions.get("table_sha256", ""))),
        Fact("table of images", str(manifest.get("file", ""))),
        Fact("table of images, SHA-256", str(manifest.get("sha256", ""))),
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


def model_name(results: Results) -> str:
    """What the model calls itself."""
    name = part(results.metrics, "predictions", "run").get("model")
    return name if isinstance(name, str) and name else "a model"


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
