"""The results of a study -> study.json, table.csv, seeds.csv, figures and the page study.html.

study.json   plan with the settings of --set, seeds, manifest, versions, and `arms`: name -> numbers (numbers.py), seeds, training
             minutes, costs, `failed`, `unpredicted` (images), `cautions`, paper (row -> its printed numbers)
table.csv    a row for each arm: what study.json says of it
seeds.csv    a row for each arm, seed and number: the values of single trainings
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

import mammoseg
from mammoseg.io.atomic import write_json
from mammoseg.io.cells import write_csv
from mammoseg.io.failures import Failures
from mammoseg.io.figures import FIGURE_KINDS, write_figure
from mammoseg.io.outputs import alone_in
from mammoseg.papers import printed, table_of
from mammoseg.study.figures import FIGURES, forest
from mammoseg.study.numbers import Answers, numbers_of, read_answers
from mammoseg.study.page import NAME, write_page
from mammoseg.study.plan import Arm
from mammoseg.study.work import PATIENCE, Study

RESULTS, TABLE, SEEDS = "study.json", "table.csv", "seeds.csv"
FORMAT = 1
_LIMITS = ("low", "high")
_COSTS = ("parameters", "macs_per_exam", "seconds_per_exam", "peak_bytes")


def write_study_results(study: Study) -> dict[str, Any]:
    """Of all arms of the plan and all seeds that are done by now, whichever call has done them; returns what study.json holds."""
    plan = study.plan
    tested = {arm.name: read_answers(study, arm) for arm in plan.arms}
    reference, errors = tested[plan.reference], Failures(study.out).read()
    why = dict(zip(errors["image_id"], errors["message"], strict=True))
    found: dict[str, Any] = {}
    for arm in plan.arms:
        own = tested[arm.name]
        found[arm.name] = {
            "title": arm.shown,
            "seeds": sorted(own.images) if own else [],
            "numbers": numbers_of(own, reference, plan.level) if own else {},
            "training_minutes": _minutes(study, arm, sorted(own.images)) if own else None,
            "costs": {key: value for key, value in study.costs_of(arm).items() if key != "of"},
            "paper": {row: printed(row) for row in arm.paper},
            "differs": arm.differs,
            "failed": {name: text for name, text in why.items() if name.rpartition("-")[0] == arm.name},
        }
    for arm in plan.arms:
        own = tested[arm.name]
        found[arm.name]["unpredicted"] = sum(own.unpredicted.values()) if own else 0
        found[arm.name]["cautions"] = _cautions(study, arm, own, found)
    results = {
        "format": FORMAT,
        "version": mammoseg.__version__,
        "title": plan.title,
        "about": plan.about,
        "plan": plan.model_dump(mode="json"),
        "reference": plan.reference,
        "level": plan.level,
        "seeds": sorted({seed for arm in found.values() for seed in arm["seeds"]}),
        "manifest_sha256": study.manifest.sha256(splits=True),
        "n_images": {
            name: len(study.manifest.table[study.manifest.table["split"] == name]) for name in ("train", "val", "test")
        },
        "cites": {table_of(row).cite: table_of(row).of for arm in plan.arms for row in arm.paper},
        "arms": found,
    }
    out = study.out
    with alone_in(out, PATIENCE):
        for path in [out / RESULTS, out / NAME, *(out / f"{name}.{kind}" for name in FIGURES for kind in FIGURE_KINDS)]:
            path.unlink(missing_ok=True)
        write_csv(out / TABLE, pd.DataFrame([_row(name, arm, plan.reference) for name, arm in found.items()]))
        write_csv(out / SEEDS, pd.DataFrame(_seed_rows(found)))
        for name, title in FIGURES.items():
            if (figure := forest(found, name, title, plan.reference)) is not None:
                write_figure(out, name, figure)
        write_json(out / RESULTS, results)
        write_page(out, results)
    return results


def _cautions(study: Study, arm: Arm, own: Answers | None, found: Mapping[str, Any]) -> list[str]:
    """What would make the row of an arm mean something else than it seems to."""
    cautions = [f"seed {seed}: tested with other settings, not shown" for seed in study.of_other_settings(arm)]
    if own is None:
        return cautions
    if classifier := study.plan.classifier_of(arm):
        cautions.append(f"its minutes and costs are without those of {classifier.shown}, which made its heatmaps")
    cautions += [f"seed {seed}: {n} test images could not be predicted" for seed, n in own.unpredicted.items() if n]
    reference = found[study.plan.reference]["numbers"]
    cautions += [
        f"{name.replace('_', ' ')}: of {number['n']} cases, that of the reference of {reference[name]['n']}"
        for name, number in found[arm.name]["numbers"].items()
        if name in reference and reference[name]["n"] != number["n"]
    ]
    return cautions


def _minutes(study: Study, arm: Arm, seeds: Sequence[int]) -> float | None:
    """Mean over seeds of the time that all epochs took, whatever attempts they were made in."""
    sums = []
    for seed in seeds:
        tables = [
            pd.read_csv(path) for path in sorted(study.run_folder(arm, seed).glob("logs/*/version_*/metrics.csv"))
        ]
        seconds = [table["speed/seconds"] for table in tables if "speed/seconds" in table]
        if not seconds:
            return None
        sums.append(float(pd.concat(seconds).sum()) / 60)
    return float(np.mean(sums)) if sums else None


def _row(name: str, arm: Mapping[str, Any], reference: str) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": name, "title": arm["title"], "seeds": len(arm["seeds"])}
    for number, found in arm["numbers"].items():
        row |= {number: found["value"], **{f"{number}_{limit}": found[limit] for limit in _LIMITS}}
        row[f"{number}_n"] = found["n"]
        if difference := found.get("difference"):
            row |= {f"{number}_minus_{reference}": difference["value"]}
            row |= {f"{number}_minus_{reference}_{limit}": difference[limit] for limit in _LIMITS}
    costs = arm["costs"]
    row |= {"training_minutes": arm["training_minutes"], **{key: costs.get(key) for key in _COSTS}}
    row["paper"] = "; ".join(
        f"{of}: {', '.join(f'{k} {v:g}' for k, v in values.items())}" for of, values in arm["paper"].items()
    )
    row["failed"] = "; ".join([*arm["failed"].values(), *arm["cautions"]])
    return row


def _seed_rows(arms: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"arm": name, "number": number, "seed": seed, "value": value}
        for name, arm in arms.items()
        for number, found in arm["numbers"].items()
        for seed, value in zip(arm["seeds"], found["of_seeds"], strict=True)
    ]
