"""A methods paragraph for a paper, of what this evaluation did and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mammoseg.evaluation.operating_points import HERE
from mammoseg.evaluation.results import Results, part
from mammoseg.results_page.about import combined_systems, model_name, parts_of, run_of
from mammoseg.results_page.citations import Cited
from mammoseg.wording import counted

_PAPERS = {"glam": ("GLAM", "liu"), "gmic": ("GMIC", "shen")}
_OF_SCORES = {
    "auc": ("the area under the receiver operating characteristic curve (the Mann-Whitney statistic)", ("hanley",)),
    "partial_auc": ("the partial area under this curve", ("mcclish",)),
    "average_precision": ("average precision, the area under the step function of precision over recall", ("davis",)),
}
_OF_MAPS = {
    "dice": (
        "Dice overlap with the reference outline in its soft form, 2 sum(SM) / (sum(S^2) + sum(M^2)) for a map S in [0, 1] and a "
        "mask M (beside it the form without squares, that at a threshold of 0.5 and that at the best threshold of each image, an "
        "upper bound)",
        ("dice",),
    ),
    "iou": ("intersection over union in the same readings", ()),
    "pxap_pooled": ("PxAP over the pixels of all images together", ("choe",)),
    "pxap": ("PxAP, the average precision over the pixels of an image", ("choe",)),
    "pointing": (
        "the pointing game, whether the largest value of the map lies in the lesion, and how far from it",
        ("zhang",),
    ),
}
_SECTIONS = {
    "calibration": "How right the scores are as probabilities was assessed by the Brier score, slope and intercept of a logistic "
    "recalibration, the ratio of observed to expected, the expected calibration error and decision curves {}.",
    "marks": "Lesion localisation by marks was assessed with free-response methods {}.",
}
_CITED = {"calibration": ("brier", "cox", "calster", "naeini", "vickers"), "marks": ("chakraborty",)}


def methods(results: Results, cited: Cited) -> str:
    """The paragraph; `cited` collects what it cites."""
    return " ".join([*_data(results, cited), *_scores(results, cited), *_maps(results, cited), *_more(results, cited)])


def _data(results: Results, cited: Cited) -> Iterator[str]:
    metrics = results.metrics
    run, parts = run_of(results), parts_of(results)
    name = model_name(results)
    title, paper = _PAPERS.get(name, (name, ""))
    model = f"{title} {cited(paper)}" if paper else f"The model {title}"
    if checkpoint := run.get("checkpoint_sha256"):
        model += f" (checkpoint SHA-256 {str(checkpoint)[:16]})"
    sizes = [
        counted(metrics[key], what)
        for key, what in (
            ("n_images", "image"),
            ("n_breasts", "breast"),
            ("n_exams", "exam"),
            ("n_patients", "patient"),
        )
        if isinstance(metrics.get(key), int)
    ]
    of = f" of {', '.join(sizes[1:])}" if len(sizes) > 1 else ""
    split = f" (split {metrics['split']})" if metrics.get("split") else ""
    if combined := combined_systems(results):
        systems = " and ".join(f"{each} ({of})" for each, of in combined.items())
        model = f"The weighted mean of the scores of {systems}"
    yield f"{model} was evaluated on {sizes[0] if sizes else 'the images'}{of}{split} with mammoseg {metrics.get('version', '')}."
    if combined:
        yield _weights_of(part(results.metrics, "combined"))
    elif len(parts) > 1:
        yield f"The predictions are of {len(parts)} parts, each of its own images and by its own checkpoint."
    if not combined:
        yield from prepared(part(run, "prep"))
    if failures := metrics.get("n_failed"):
        yield f"{counted(failures, 'image')} could not be predicted and {'was' if failures == 1 else 'were'} left out."
    if learned := metrics.get("n_of_training"):
        yield f"The model had learned from the patients of {learned} of the images."
    if any(table.get("unknown") for table in _finals(metrics)):
        yield "Cases whose label is unknown were left out of the numbers of that class, and counted."


def _weights_of(combined: Mapping[str, Any]) -> str:
    how = combined.get("chosen")
    if "on" in combined:
        cases = f"{combined.get('breasts')} breasts, {combined.get('positive')} positive"
        how = f"those with the {how} on the part {combined['on']} ({cases})"
    return f"The weights were {how}."


def prepared(prep: Mapping[str, Any]) -> Iterator[str]:
    """What was done to the images, as run.json says it in `prep`."""
    window, pixel_mm = prep.get("window"), prep.get("pixel_mm")
    if isinstance(window, list) and len(window) == 2:
        size = f"{window[0]} x {window[1]} pixels" + (f" of {pixel_mm} mm" if pixel_mm else "")
        how = "resized to" if prep.get("fit") == "resize" else "cut to a window of"
        yield f"Breasts were segmented from the background, mirrored to the same side and {how} {size}."


def _scores(results: Results, cited: Cited) -> Iterator[str]:
    metrics = results.metrics
    levels = [level for level in part(metrics, "scores") if part(metrics, "scores", level)]
    if not levels:
        return
    if "breast" in levels:
        yield (
            f"The score of a breast is the mean of the scores of its images {cited('shen', 'liu')}; a breast is positive if one of "
            "its images is, and negative only if all of them are known to be."
            + (" The score of an exam is the highest of its breasts." if "exam" in levels else "")
        )
    names = [name for table in _finals(metrics) for name, value in table.items() if isinstance(value, Mapping)]
    yield f"Scores were assessed by {', '.join(levels)} with {_listed(names, _OF_SCORES, results, cited)}."
    yield from _intervals(metrics, cited)


def _maps(results: Results, cited: Cited) -> Iterator[str]:
    tables = [part(results.metrics, "maps", label, "maps", "saliency") for label in part(results.metrics, "maps")]
    names = [name for table in tables for name in table]
    if not names:
        return
    yield (
        "Saliency maps were brought to the pixels of the original images and compared with the lesion masks of the images that "
        f"have one, with {_listed(names, _OF_MAPS, results, cited)}; means over images, and a map of uniform noise as the floor."
    )
    if not part(results.metrics, "scores"):
        yield from _intervals(results.metrics, cited)


def _more(results: Results, cited: Cited) -> Iterator[str]:
    yield from _points(results.metrics, cited)
    for key, sentence in _SECTIONS.items():
        if part(results.metrics, key):
            yield sentence.format(cited(*_CITED[key])) if key in _CITED else sentence
    if columns := list(part(results.metrics, "by")):
        yield (
            f"Scores were broken down by {', '.join(columns)}, and the AUCs of the groups were compared by Cochran's Q with their "
            f"covariance by patient {cited('cochran', 'obuchowski')}."
        )


def _points(metrics: Mapping[str, Any], cited: Cited) -> Iterator[str]:
    points = [
        (name, point)
        for level in part(metrics, "operating_points")
        for label in part(metrics, "operating_points", level)
        for name, point in part(metrics, "operating_points", level, label).items()
    ]
    if not points:
        return
    names = list(dict.fromkeys(name for name, _ in points))
    yield f"Sensitivity, specificity, recall rate and predictive values were measured at {', '.join(names)} {cited('pepe')}."
    if any(part({"point": point}, "point").get("chosen_on") == HERE for _, point in points):
        yield "Thresholds chosen on these cases were chosen again in each bootstrap replicate."
    if any(part({"point": point}, "point").get("chosen_on") != HERE for _, point in points):
        yield (
            "Where a threshold was fixed before, intervals are Wilson's with the effective number of cases by patient "
            f"{cited('wilson', 'korn')}."
        )


def _intervals(metrics: Mapping[str, Any], cited: Cited) -> Iterator[str]:
    replicates = metrics.get("bootstrap")
    if not replicates:
        yield "No confidence intervals were computed."
        return
    yield (
        f"95 % confidence intervals are from {replicates} bootstrap replicates in which patients were drawn with replacement, so "
        f"that images of one patient stay together {cited('rutter', 'field')} (seed {metrics.get('seed', 'unknown')})."
    )
    if metrics.get("format") == 1:
        yield f"They run from the 2.5th to the 97.5th percentile of the replicates {cited('efron')}."
    else:
        yield (
            "They are percentiles of the replicates, for the AUC their standard deviation on the logit scale, both widened for few "
            f"patients {cited('efron', 'hesterberg')}."
        )


def _listed(
    names: Sequence[str], known: Mapping[str, tuple[str, tuple[str, ...]]], results: Results, cited: Cited
) -> str:
    """What was measured, each once: `dice_soft` is known as `dice`; a metric that is not known goes by its title."""
    found: dict[str, str] = {}
    for name in names:
        key = next((key for key in known if name == key or name.startswith(f"{key}_")), None)
        if key is not None and key not in found:
            text, works = known[key]
            found[key] = f"{text} {cited(*works)}" if works else text
        elif key is None and name in results.titles:
            found.setdefault(name, results.titles[name])
    return "; ".join(found.values()) or "the metrics listed in the tables"


def _finals(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The results of the final scores, of all levels and classes."""
    return [
        part(metrics, "scores", level, label, "final")
        for level in part(metrics, "scores")
        for label in part(metrics, "scores", level)
    ]
