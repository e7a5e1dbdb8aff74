"""A reader study -> the files in a folder (docs/how-to/reader_study.md lists them)."""

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from mammoseg.bounded import sha256_of
from mammoseg.io.atomic import write_json
from mammoseg.io.cells import write_csv
from mammoseg.io.figures import FIGURE_KINDS, write_figure
from mammoseg.reader_study import exports
from mammoseg.reader_study.analyse import analyse
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.figures import curves_figure, weighing_figure
from mammoseg.reader_study.hybrid import hybrids, scaled
from mammoseg.reader_study.settings import Settings
from mammoseg.reader_study.study import ReaderStudy
from mammoseg.reader_study.tables import all_rows

RESULTS = "reader_study.json"
_FIGURES = ("readers", "hybrids", "lambda")


def write_study(study: ReaderStudy, settings: Settings, table: Path, out: Path) -> dict[str, Any]:
    """Analyse, and write everything into `out`; returns what reader_study.json holds (there undefined numbers are null).

    Files of an earlier study are deleted before; reader_study.json is written last. `table` is the file the study came from; raises
    StudyError where it would be one of those.
    """
    earlier = _earlier(out)
    if table.resolve() in {path.resolve() for path in earlier}:
        raise StudyError(
            f"{table}: would be overwritten by the results. Expected another folder. Choose one with --out."
        )
    results = analyse(study, settings)
    results["table"] = {"file": table.name, "sha256": sha256_of(table)}
    for path in earlier:
        path.unlink(missing_ok=True)
    write_csv(out / "reader_study.csv", pd.DataFrame(all_rows(results)))
    for number, modality in enumerate(study.modalities, start=1):
        _write_figures(study, modality, settings, results, out, f"_{number}" if len(study.modalities) > 1 else "")
    exports.write_imrmc(study, out / "imrmc.csv")
    results["rjafroc"] = exports.write_rjafroc(study, out)
    write_json(out / RESULTS, results)
    return results


def _earlier(out: Path) -> list[Path]:
    kinds = (*FIGURE_KINDS, "csv")
    figures = [
        path
        for name in _FIGURES
        for kind in kinds
        for path in (out / f"{name}.{kind}", *out.glob(f"{name}_[0-9]*.{kind}"))
    ]
    return [out / RESULTS, out / "reader_study.csv", *(out / name for name in exports.FILES), *figures]


def _write_figures(
    study: ReaderStudy, modality: str, settings: Settings, results: dict[str, Any], out: Path, suffix: str
) -> None:
    """`suffix` tells modalities apart, by number: their names may be anything."""
    readers_RN = study.of(modality)
    readers = dict(zip(study.readers, readers_RN, strict=True))
    name = f" ({modality})" if suffix else ""
    title = f"{len(readers)} readers{name}, {study.labels.size} cases, {int(study.labels.sum())} positive"
    _write(out, f"readers{suffix}", *curves_figure(study.labels, readers, study.models, title, "average of readers"))
    found = results["modalities"][modality].get("hybrids", {})
    if not found or "reason" in found:
        return
    as_probabilities = scaled(study, modality, settings.reader_scale)
    for number, (model, scores) in enumerate(study.models.items(), start=1):
        together = dict(zip(study.readers, hybrids(as_probabilities, scores), strict=True))
        title = f"Each reader with {model}{name}: mean of both scores"
        drawn = curves_figure(study.labels, together, {model: scores}, title, "average of hybrids")
        _write(out, f"hybrids{suffix}_{number}", *drawn)
    weighings = {model: each["weighing"] for model, each in found.items()}
    _write(out, f"lambda{suffix}", *weighing_figure(weighings, results["titles"]))


def _write(out: Path, name: str, figure: Figure, table: pd.DataFrame) -> None:
    write_figure(out, name, figure)
    write_csv(out / f"{name}.csv", table)
