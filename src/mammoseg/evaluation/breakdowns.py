"""The final score within each value of a column, or of two together, and whether it ranks differently well in them.

By breast where every breast is in one group (density), by image otherwise (view). A column that only positives have (the type or
the size of a lesion) says nothing of negatives: each group of positives is then measured against all negatives.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.evaluation.grouping import UNKNOWN, Groups
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FEW_PATIENTS, FINAL, ranking, score_column
from mammoseg.statistics.comparison import holm
from mammoseg.statistics.heterogeneity import heterogeneity

TEST = "Cochran's Q of the AUC on the logit scale, covariance by patient"


def breakdowns(
    images: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    by: Sequence[str],
    method: Method,
    cuts: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    """Each of `by` -> level, columns, cuts, values (group -> class -> `ranking`) and heterogeneity (class -> test).

    `images` and `tables` are those of `join` and `level_tables`. p_holm is the p-value after Holm over all tests. Raises
    ConfigError for columns that are not there or have too many values.
    """
    found = {name: _breakdown(images, tables, name, method, cuts) for name in dict.fromkeys(by)}
    tests = [test for each in found.values() for test in each["heterogeneity"].values()]
    made = sum(not np.isnan(test["p"]) for test in tests)
    for test, p in zip(tests, holm([test["p"] for test in tests]), strict=True):
        test |= {"p_holm": p, "tests": made}
    return found


def _breakdown(
    images: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    name: str,
    method: Method,
    cuts: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    groups = Groups(images, name, cuts)
    level = "breast" if groups.per_breast and "breast" in tables else "image"
    table = tables[level]
    of_case = groups.of_breast(images) if level == "breast" else groups.of_image.reset_index(drop=True)
    table = table.reset_index(drop=True)
    named = groups.named()
    values: dict[str, dict[str, Any]] = {group: {} for group in named}
    tests, against = {}, {}
    for label in method.classes:
        known = table[label].notna() & table[score_column(FINAL, label)].notna()
        only = [column for column in groups.columns if _only_positives(of_case[column], table[label], known)]
        members = {
            group: table[_members(of_case, key, groups.columns, only, table[label])] for group, key in named.items()
        }
        for group, cases in members.items():
            values[group][label] = ranking(cases, label, FINAL, method)
        unknown = {group for group, key in named.items() if UNKNOWN in key}
        tests[label] = _test(members, label, {group: values[group][label] for group in named}, unknown)
        against[label] = only
    return {
        "level": level,
        "columns": groups.columns,
        "cuts": {
            column: {"edges": edges, "by": "stated" if groups.stated[column] else "quartiles of the images"}
            for column, edges in groups.cuts.items()
        },
        "values": {group: found for group, found in values.items() if found},
        "against_all_negatives": against,
        "heterogeneity": tests,
    }


def _only_positives(group: pd.Series, truth: pd.Series, known: pd.Series) -> bool:
    """Whether a column has values for positives, and for no negative."""
    there = (group != UNKNOWN) & known
    return bool((there & (truth == 1)).any() and not (there & (truth == 0)).any() and (known & (truth == 0)).any())


def _members(
    of_case: pd.DataFrame, key: Sequence[str], columns: Sequence[str], only: Sequence[str], truth: pd.Series
) -> NDArray[np.bool_]:
    chosen = np.ones(len(of_case), bool)
    for column, value in zip(columns, key, strict=True):
        same = (of_case[column] == value).to_numpy(bool)
        chosen &= same | (truth == 0).to_numpy(bool) if column in only else same
    return chosen


def _test(
    members: Mapping[str, pd.DataFrame], label: str, results: Mapping[str, Mapping[str, Any]], unknown: Collection[str]
) -> dict[str, Any]:
    """Of the groups with FEW_PATIENTS or more on both sides; without those whose value is `unknown`."""
    used, left_out = [], {}
    for group, result in results.items():
        if group in unknown:
            left_out[group] = "the value is unknown"
        elif result["reason"] is not None:
            left_out[group] = result["reason"]
        elif result["caution"] is not None:
            left_out[group] = f"fewer than {FEW_PATIENTS} positive or negative patients"
        else:
            used.append(group)
    cases = [members[group].dropna(subset=[label, score_column(FINAL, label)]) for group in used]
    found = heterogeneity(
        [
            (c[label].to_numpy(float), c[score_column(FINAL, label)].to_numpy(float), c["patient_id"].tolist())
            for c in cases
        ]
    )
    two = (
        {"value": found.difference, "low": found.low, "high": found.high, "of": f"{used[1]} minus {used[0]}"}
        if len(used) == 2
        else None
    )
    return {
        "test": TEST,
        "q": found.q,
        "df": found.df,
        "p": found.p,
        "p_holm": float("nan"),
        "difference": two,
        "groups": used,
        "left_out": left_out,
        "reason": found.reason,
    }
