"""reader_study.json as tables: every number as a row (reader_study.csv), and the few that people look at first.

Both take the dictionary as `analyse` returns it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from mammoseg.reader_study.mrmc.orh import BOTH
from mammoseg.wording import p_value

Row = dict[str, Any]
_NUMBERS = (
    "value",
    "std",
    "low",
    "high",
    "se",
    "df",
    "df1",
    "df2",
    "statistic",
    "p",
    "p_holm",
    "sensitivity",
    "lambda",
    "lambda_std",
)
_WORDS = ("no_interval", "reason", "caution")


def all_rows(results: Mapping[str, Any]) -> list[Row]:
    """table, modality, of, metric, then what the number has: value, std, low, high, se, df, statistic, p, ... remark."""
    return [
        *_metrics({"table": "models"}, results["models"]),
        *(row for name, found in results["modalities"].items() for row in _modality_rows(name, found)),
        *(row for metric, found in results["between"].items() for row in _between_rows(metric, found)),
        *(row for metric, found in results["ensembles"].items() for row in _ensemble_rows(metric, found)),
    ]


def summary_tables(results: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Headings and rows of text: performance, readers against models, hybrids, modalities against each other."""
    titles = results["titles"]
    for modality, found in results["modalities"].items():
        of = "" if len(results["modalities"]) == 1 else f", {modality}"
        rows = [{"": "mean of readers", **_cells(found["mean"], titles)}]
        rows += [{"": name, **_cells(each, titles)} for name, each in found["readers"].items()]
        rows += [{"": name, **_cells(each, titles)} for name, each in results["models"].items()]
        yield f"Readers{of}, and models", rows
        if against := _against(found):
            yield f"Mean AUC of readers minus AUC of the model{of}", against
        if combined := _combined(found, titles):
            yield f"Hybrids: mean of reader and model{of}", combined
        if "reason" not in found["consensus"]:
            yield f"Majority of the readers{of}", _voted(found["consensus"])
    for metric, found in results["between"].items():
        if "analyses" in found:
            yield f"{titles[metric]}, modalities compared", _compared(found)
    if results["ensembles"]:
        yield (
            "Weighted means of the models",
            [_weighted(metric, each, titles) for metric, each in results["ensembles"].items()],
        )


def reasons(results: Mapping[str, Any]) -> Iterator[str]:
    """Why a part of the results is not there."""
    for modality, found in results["modalities"].items():
        of = "" if len(results["modalities"]) == 1 else f" of {modality}"
        for part, title in (("against_models", "readers and models are not compared"), ("hybrids", "no hybrids")):
            if "reason" in found.get(part, {}):
                yield f"{title}{of}: {found[part]['reason']}"
    for metric, found in results["between"].items():
        if "reason" in found:
            yield f"modalities are not compared by {results['titles'][metric]}: {found['reason']}"
    if results.get("rjafroc") is False:
        yield "more scores than a sheet has rows: there is no file for RJafroc"


def _cells(found: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, str]:
    """With the interval of the AUC alone: the others are in the files."""
    return {titles[metric]: _text(found[metric], metric == "auc") if metric in found else "" for metric in titles}


def _text(number: Mapping[str, Any], interval: bool = True) -> str:
    std = f" ± {number['std']:.3f}" if "std" in number else ""
    has = interval and pd.notna(number.get("low"))
    return f"{number['value']:.3f}{std}" + (f" ({number['low']:.3f} to {number['high']:.3f})" if has else "")


def _against(found: Mapping[str, Any]) -> list[dict[str, str]]:
    against = found.get("against_models", {})
    return [] if "reason" in against else [{"model": name, **_tested(by)} for name, by in against.items()]


def _tested(by: Mapping[str, Any]) -> dict[str, str]:
    """Random readers and cases where there are several readers; else what there is."""
    random = BOTH if BOTH in by else next(iter(by))
    adjusted = {"p (Holm)": _p(by[random]["p_holm"])} if "p_holm" in by[random] else {}
    return {"difference": _text(by[random]), "p": _p(by[random]["p"]), **adjusted, "holds for": random}


def _p(p: float) -> str:
    return p_value(p, 0.0001) or "undefined"


def _combined(found: Mapping[str, Any], titles: Mapping[str, str]) -> list[dict[str, str]]:
    hybrids = found.get("hybrids", {})
    rows = []
    for name, each in ({} if "reason" in hybrids else hybrids).items():
        gain = {} if "reason" in each["gain"] else _tested(each["gain"])
        best = each["weighing"]["auc"]
        rows.append(
            {
                "model": name,
                **{titles[metric]: _text(number) for metric, number in each["mean"].items()},
                "AUC minus reader": gain.get("difference", ""),
                "best lambda (AUC)": f"{best['lambda']:.2f} ± {best['lambda_std']:.2f}: {best['value']:.3f}, too good",
            }
        )
    return rows


def _voted(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """The models have the sensitivity of the majority, or the next higher one."""
    rows = [{"": "majority", **{name: _text(found[name]) for name in ("sensitivity", "specificity")}}]
    return rows + [
        {"": name, "sensitivity": "the same", "specificity": _text(number)} for name, number in found["models"].items()
    ]


def _compared(found: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"difference": pair, "holds for": random, "value": _text(number), "p": _p(number["p"])}
        for random, analysis in found["analyses"].items()
        for pair, number in analysis["differences"].items()
    ]


def _weighted(metric: str, found: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, str]:
    best = f"{_text(found['best'])}, too good: {_weights(found['best'])}"
    return {"metric": titles[metric], "equal weights": _text(found["equal"]), "best weights": best}


def _weights(best: Mapping[str, Any]) -> str:
    return ", ".join(f"{weight:g} {name}" for name, weight in best["weights"].items() if weight)


def _row(about: Row, number: Mapping[str, Any]) -> Row:
    words = [str(number[key]) for key in _WORDS if number.get(key)]
    return about | {key: number[key] for key in _NUMBERS if key in number} | {"remark": "; ".join(words)}


def _metrics(about: Row, found: Mapping[str, Any]) -> Iterator[Row]:
    """Name -> metric -> number."""
    for name, metrics in found.items():
        for metric, number in metrics.items():
            yield _row({**about, "of": name, "metric": metric}, number)


def _modality_rows(modality: str, found: Mapping[str, Any]) -> Iterator[Row]:
    about = {"modality": modality}
    yield from _metrics({"table": "readers", **about}, found["readers"])
    yield from _metrics({"table": "readers", **about}, {"mean of readers": found["mean"]})
    for part in ("against_models", "hybrids", "consensus"):
        if "reason" in found.get(part, {}):
            yield _row({"table": part, **about}, found[part])
    for model, by in ({} if "reason" in found.get("against_models", {}) else found.get("against_models", {})).items():
        for random, number in by.items():
            yield _row(
                {"table": "readers minus model", **about, "of": model, "metric": "auc", "random": random}, number
            )
    for model, each in ({} if "reason" in found.get("hybrids", {}) else found.get("hybrids", {})).items():
        yield from _metrics({"table": f"hybrids with {model}", **about}, each["readers"])
        yield from _metrics({"table": f"hybrids with {model}", **about}, {"mean of readers": each["mean"]})
        gains = {"": each["gain"]} if "reason" in each["gain"] else each["gain"]
        for random, number in gains.items():
            yield _row(
                {"table": f"hybrids with {model} minus readers", **about, "metric": "auc", "random": random}, number
            )
        for metric, number in each["weighing"].items():
            yield _row({"table": f"best lambda with {model}", **about, "metric": metric}, number)
    if "reason" not in found["consensus"]:
        vote = {key: found["consensus"][key] for key in ("sensitivity", "specificity")}
        yield from _metrics({"table": "consensus", **about}, {"majority": vote})
        for model, number in found["consensus"]["models"].items():
            yield _row({"table": "consensus", **about, "of": model, "metric": "specificity at its sensitivity"}, number)


def _between_rows(metric: str, found: Mapping[str, Any]) -> Iterator[Row]:
    if "reason" in found:
        yield _row({"table": "modalities compared", "metric": metric}, found)
        return
    for method, part in (("Obuchowski-Rockette-Hillis", found), ("Dorfman-Berbaum-Metz", found["dbm"])):
        for random, analysis in part["analyses"].items():
            about = {"table": method, "metric": metric, "random": random}
            yield _row({**about, "of": "all equal"}, analysis["test"])
            for pair, number in (*analysis["differences"].items(), *analysis["modalities"].items()):
                yield _row({**about, "of": pair}, number)
    for reader, pairs in found["by_reader"].items():
        for pair, number in pairs.items():
            yield _row({"table": f"reader {reader} alone", "metric": metric, "of": pair}, number)


def _ensemble_rows(metric: str, found: Mapping[str, Any]) -> Iterator[Row]:
    yield _row({"table": "ensembles", "of": "equal weights", "metric": metric}, found["equal"])
    yield _row(
        {"table": "ensembles", "of": f"best weights: {_weights(found['best'])}", "metric": metric}, found["best"]
    )
