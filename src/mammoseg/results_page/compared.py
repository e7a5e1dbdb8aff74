"""compare.html: a comparison of two evaluations as one page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mammoseg.bounded import parse_json, read_bounded
from mammoseg.comparison.compare import SCATTER
from mammoseg.comparison.tables import text_rows
from mammoseg.evaluation.results import ResultsError, printable
from mammoseg.io.atomic import write_text
from mammoseg.results_page.about import Fact
from mammoseg.results_page.citations import Cited
from mammoseg.results_page.figures import figures_in, links_to
from mammoseg.results_page.pages import PAGES

NAME = "compare.html"
MOST_NAMED = 200
"""Images that were left out and are named."""
_FILES = ("compare.json", "compare.csv")
_TIGHT = ("A", "B", "B - A", "p", "p, Holm", "n")
"""Columns whose cells stay on a line."""
_SAME = ("manifest_sha256", "split")


def write_comparison_page(folder: Path) -> Path:
    """Write compare.html beside compare.json, of what lies there; returns its path. Raises ResultsError without a comparison."""
    path = folder / _FILES[0]
    try:
        results = printable(parse_json(read_bounded(path)))
        values = _values(folder, results)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"{path}: cannot be read ({type(error).__name__}: {error}). Expected what compare wrote. Run mammoseg compare again."
        ) from error
    write_text(folder / NAME, PAGES.render("compare.html", values))
    return folder / NAME


def _values(folder: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    cited = Cited()
    titles = {f"{SCATTER}_{metric}": f"{title} of each image, A and B" for metric, title in results["titles"].items()}
    alts = {
        f"{SCATTER}_{metric}": " ".join(
            f"{label}: B is higher in {numbers[metric]['higher']} and lower in {numbers[metric]['lower']} of "
            f"{numbers[metric]['n']} images."
            for label, numbers in results["maps"].items()
            if metric in numbers
        )
        for metric in results["titles"]
    }
    left_out = results["left_out"]
    return {
        "names": {"A": results["a"]["name"], "B": results["b"]["name"]},
        "facts_of": list(_facts(results)),
        "left_out": left_out[:MOST_NAMED],
        "n_left_out": len(left_out),
        "groups": [
            {"title": title, "heads": list(rows[0]), "rows": rows} for title, rows in text_rows(results).items()
        ],
        "tight": _TIGHT,
        "figures": figures_in(folder, titles, alts),
        "files": links_to(folder, _FILES),
        "methods": " ".join(_methods(results, cited)),
        "references": cited.works,
    }


def _facts(results: Mapping[str, Any]) -> Iterator[Fact]:
    for key in ("a", "b"):
        about = results[key]
        yield Fact(f"{key.upper()}", str(about["name"]))
        for name in ("model", "checkpoint_sha256", "metrics_sha256"):
            if about[name]:
                yield Fact(f"{key.upper()}, {name.replace('_sha256', ', SHA-256')}", str(about[name]))
    yield Fact("images in both", str(results["n_images"]))
    yield Fact("patients", str(results["n_patients"]))
    yield Fact("images that failed in one of them", str(len(results["left_out"])), "left out of both")
    for name in _SAME:
        if results["a"][name] != results["b"][name]:
            yield Fact(
                f"{name.replace('_', ' ')} differs",
                f"{results['a'][name]}; {results['b'][name]}",
                "labels are the same",
            )
    yield Fact("replicates", str(results["replicates"]))
    yield Fact("seed", str(results["seed"]))
    yield Fact("compared by mammoseg", str(results["version"]))


def _methods(results: Mapping[str, Any], cited: Cited) -> Iterator[str]:
    yield (
        f"Both were evaluated on the same {results['n_images']} images of {results['n_patients']} patients; all comparisons are "
        "paired, with the patient as the unit."
    )
    names = {metric for classes in results["scores"].values() for numbers in classes.values() for metric in numbers}
    if "auc" in names:
        yield (
            "AUCs were compared with the variance of DeLong et al. for correlated curves, extended to several cases of a patient "
            f"{cited('delong', 'obuchowski')}."
        )
    if names - {"auc"} and results["replicates"]:
        yield (
            f"Other metrics of the scores were compared by {results['replicates']} bootstrap replicates of patients "
            f"{cited('efron', 'rutter')}, and all by a permutation test that exchanges the two scores of a patient "
            f"{cited('bandos')}."
        )
    if any(points for classes in results["operating_points"].values() for points in classes.values()):
        yield f"Sensitivities and specificities were compared by McNemar's test by patient {cited('mcnemar', 'obuchowski98')}."
    if results["maps"]:
        yield (
            "Metrics of the maps were compared by a paired t test of the images' differences, by patient "
            f"{cited('obuchowski98')}."
        )
    if results["margin"] is not None:
        yield (
            f"B was called non-inferior where the 95 % interval of the difference of AUCs lies above -{results['margin']:g}, a "
            "margin that has to be set before the data are seen."
        )
    yield f"p values were adjusted by Holm's method within each table {cited('holm')}."
