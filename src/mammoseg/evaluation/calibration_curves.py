"""The reliability curve and the decision curve of an evaluation, as tables that its figures are drawn from.

Limits of the reliability curve are Wilson's by patient, moved to the prevalence that is wanted; those of the decision curve hold
at each threshold for itself, and are percentiles over draws of the patients.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.calibration.decision import net_benefit, net_benefit_of_all, thresholds
from mammoseg.calibration.stored import Calibration
from mammoseg.evaluation.calibration_cases import Cases, Floats, sources_of
from mammoseg.evaluation.method import Method
from mammoseg.statistics.bootstrap import interval_from
from mammoseg.statistics.proportion import clustered_proportion

ALL, NONE = "recall all", "recall none"
RELIABILITY = ["class", "source", "bin", "n", "positives", "predicted", "observed", "low", "high"]
DECISION = ["class", "source", "threshold", "net_benefit", "low", "high"]
Way = Callable[[Floats], Floats]


def reliability_table(table: pd.DataFrame, classes: Sequence[str], calibration: Calibration | None) -> pd.DataFrame:
    """A row for each bin, with the columns RELIABILITY: `predicted` is the mean probability, `observed` the share of positives."""
    rows: list[dict[str, Any]] = []
    for name in classes:
        for cases in sources_of(table, name, calibration):
            weight, predicted, observed = (total[0] for total in cases.bins.totals(cases.counts[None]))
            for k, member in enumerate(cases.bins.member_nB.T == 1):
                share = clustered_proportion(cases.labels[member], cases.patients[member])
                about = {"class": name, "source": cases.source, "bin": k + 1, "n": share.n, "positives": share.k}
                mean = {"predicted": predicted[k] / weight[k], "observed": observed[k] / weight[k]}
                rows.append({**about, **mean, "low": cases.moved(share.low), "high": cases.moved(share.high)})
    return pd.DataFrame(rows, columns=RELIABILITY)


def decision_table(
    table: pd.DataFrame, classes: Sequence[str], method: Method, calibration: Calibration | None
) -> pd.DataFrame:
    """A row for each threshold and way to decide, with the columns DECISION: by each source, ALL, NONE."""
    rows: list[dict[str, Any]] = []
    for name in classes:
        found = [cases for cases in sources_of(table, name, calibration) if cases.defined]
        if not found:
            continue
        at_T = thresholds(found[0].prevalence)
        ways: dict[str, Way] = {cases.source: partial(_model, cases, at_T) for cases in found}
        ways[ALL] = partial(_all, found[0], at_T)
        ways[NONE] = partial(_none, at_T)
        for source, (values, low, high) in _bands(ways, found[0], method).items():
            rows += [
                {"class": name, "source": source, "threshold": t, "net_benefit": v, "low": below, "high": above}
                for t, v, below, above in zip(at_T, values, low, high, strict=True)
            ]
    return pd.DataFrame(rows, columns=DECISION)


def _model(cases: Cases, at_T: Floats, weights_Rn: Floats) -> Floats:
    return net_benefit(cases.labels, cases.probabilities, at_T, weights_Rn)


def _all(cases: Cases, at_T: Floats, weights_Rn: Floats) -> Floats:
    return net_benefit_of_all(cases.labels, at_T, weights_Rn)


def _none(at_T: Floats, weights_Rn: Floats) -> Floats:
    return np.zeros((len(weights_Rn), at_T.size))


def _bands(ways: Mapping[str, Way], cases: Cases, method: Method) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Way -> values (T,) and pointwise 95 % limits of the same draws; NaN where there is no interval."""
    values = {source: way(cases.counts[None])[0] for source, way in ways.items()}
    drawn: dict[str, list[Floats]] = {source: [np.empty((0, at_T.size))] for source, at_T in values.items()}
    for weights_Rn in cases.draws(method):
        for source, way in ways.items():
            drawn[source].append(way(weights_Rn))
    units = len(set(cases.patients.tolist()))
    bands = {}
    for source, at_T in values.items():
        limits = [interval_from(drawn_R, units) for drawn_R in np.concatenate(drawn[source]).T]
        bands[source] = at_T, np.array([each.low for each in limits]), np.array([each.high for each in limits])
    return bands
