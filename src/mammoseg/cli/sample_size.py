"""`mammoseg sample-size`: how many cases a study of AUCs needs, before there are any."""

from typing import Annotated

import typer


def sample_size(
    auc: Annotated[float, typer.Option("--auc", help="AUC that is expected.")],
    width: Annotated[
        float | None, typer.Option("--width", help="Wanted: a 95 % interval of the AUC of +- this.")
    ] = None,
    against: Annotated[
        float | None, typer.Option("--against", help="Wanted: told from this AUC, a fixed number.")
    ] = None,
    difference: Annotated[
        float | None,
        typer.Option("--difference", help="Wanted: told from a second model, whose AUC is higher by this."),
    ] = None,
    correlation: Annotated[
        float, typer.Option("--correlation", help="Of the scores of both models within a class; a pilot tells.")
    ] = 0.5,
    power: Annotated[float, typer.Option("--power", help="Chance to tell them apart, at two-sided 5 %.")] = 0.8,
    ratio: Annotated[float, typer.Option("--ratio", help="Negatives for each positive.")] = 1.0,
    per_patient: Annotated[float, typer.Option("--per-patient", help="Cases of a patient.")] = 1.0,
    within: Annotated[float, typer.Option("--within", help="Correlation of the cases of a patient.")] = 0.0,
) -> int:
    """Tell how many cases a study of AUCs needs: for an interval, against a number, or against a second model.

    Normal scores are assumed, in which an AUC above 0.95 needs more than this says (docs/reference/statistics.md).
    """
    from mammoseg.statistics import sample_size as formulas

    if [width, against, difference].count(None) != 2:
        raise typer.BadParameter("give one of them: what is wanted.", param_hint="--width, --against, --difference")
    try:
        effect = formulas.design_effect(per_patient, within)
        if width is not None:
            cases, wanted = formulas.cases_for_width(auc, width, ratio, effect), f"AUC {auc:g} +- {width:g}"
        elif against is not None:
            cases = formulas.cases_for_auc(auc, against, power, ratio, effect)
            wanted = f"AUC {auc:g} against {against:g}, power {power:g}"
        else:
            other = auc + (difference or 0)
            cases = formulas.cases_for_difference(auc, other, correlation, power, ratio, effect)
            wanted = f"AUC {auc:g} against {other:g} on the same cases, correlation {correlation:g}, power {power:g}"
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    print(f"{wanted}: {cases.positives} positive and {cases.negatives} negative cases.")
    if auc > 0.95 or cases.positives < 20:
        print("Caution: above an AUC of 0.95, or below 20 positives, the formula asks for too few. Take more.")
    return 0
