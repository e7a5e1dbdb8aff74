"""`mammoseg calibrate`: predictions + manifest -> probabilities and an operating point for a checkpoint."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mammoseg.cli import options

if TYPE_CHECKING:
    from mammoseg.calibration.stored import Calibration, OfClass


def calibrate(
    predictions: Annotated[
        Path, typer.Option("--predictions", file_okay=False, help="Folder that `predict` wrote, of validation images.")
    ],
    manifest: Annotated[Path | None, typer.Option("--manifest", "-m", help="Table of the images, with labels.")] = None,
    split: options.Split = None,
    hash_ids: options.HashIds = None,
    method: Annotated[
        Literal["platt", "isotonic", "temperature"] | None,
        typer.Option("--method", help="How scores become probabilities; default: platt."),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option("--prevalence", help="Share of positive breasts where it is to be used, e.g. 0.006."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="RULE=X", help="Recall from: sensitivity, specificity, recall_rate, threshold."),
    ] = None,
    align_to: Annotated[
        Path | None,
        typer.Option(
            "--align-to", metavar="FILE", help="Calibration to fit to the scores of another site, unlabelled."
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Run or checkpoint to store it with, for `predict`.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Or a file, for `predict --calibration`.")] = None,
    training: Annotated[
        bool,
        typer.Option("--allow-training-images", help="Also images of patients that the model has learned from."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the calibration that is there.")] = False,
) -> int:
    """Turn scores into probabilities, and choose who is recalled.

    By breast, from a part that the model has not learned from: 20 patients with and 20 without the finding or more. `predict`
    then writes both beside the scores. With --align-to no labels are needed: it assumes the same share of cancers at both sites.
    """
    from mammoseg.calibrate import align_to as aligned
    from mammoseg.calibrate import calibrate as run
    from mammoseg.calibrate import place_in
    from mammoseg.cli.tables import print_table
    from mammoseg.io.calibration import read_calibration, write_calibration
    from mammoseg.nn.checkpoint import home_of

    if (checkpoint is None) == (out is None):
        raise typer.BadParameter("say where to write it: one of the two", param_hint="--checkpoint or --out")
    if out is not None and out.suffix.lower() != ".json":
        raise typer.BadParameter(
            f"{out} is no name of a JSON file. Give one, e.g. calibration.json.", param_hint="--out"
        )
    if align_to is None:
        table = options.read_manifest(manifest, hash_ids)
        if table is None:
            raise typer.BadParameter("labels are needed. Give the table of images.", param_hint="--manifest")
        made = run(predictions, table, split, method or "platt", prevalence, at, training)
        calibration, left_out = made.calibration, made.left_out
    elif manifest or split or method or prevalence or at or training:
        raise typer.BadParameter("takes all of it from the calibration. Leave the others out.", param_hint="--align-to")
    else:
        calibration, left_out = aligned(predictions, read_calibration(home_of(align_to))), {}
    target = out if out is not None else place_in(checkpoint, calibration)  # type: ignore[arg-type]
    if target.exists() and not overwrite:
        raise typer.BadParameter(f"{target} is there already. Choose another place, or --overwrite.")
    options.writable(target.parent)
    write_calibration(target, calibration)
    print_table([_row(name, of_class) for name, of_class in calibration.classes.items()])
    _tell_points(calibration)
    for name, why in left_out.items():
        print(f"{name} is not calibrated: {why}")
    if calibration.of_training:
        print(
            f"Caution: from patients of {calibration.of_training} images the model has learned: probabilities are too sure."
        )
    if align_to is not None:
        _tell_alignment(calibration, predictions)
    print(f"How good it is, other patients tell (mammoseg evaluate). Written: {target}")
    return 0


def _row(name: str, of_class: "OfClass") -> dict[str, str]:
    fit = of_class.fit
    line = f"slope {fit.slope:.3f}, intercept {fit.intercept:.3f}" if fit.slope is not None else ""
    return {
        "class": name,
        "method": fit.method,
        "of log odds": line or f"{len(fit.points.x) if fit.points else 0} points",
        "breasts": f"{fit.breasts} ({fit.positives} positive)",
        "patients": f"{fit.patients_with} with, {fit.patients_without} without",
        "prevalence": f"{fit.prevalence:.3g}" + (f" -> {fit.target_prevalence:.3g}" if fit.target_prevalence else ""),
    }


def _tell_points(calibration: "Calibration") -> None:
    import numpy as np

    from mammoseg.cli.tables import print_table

    rows = []
    for name, of_class in calibration.classes.items():
        if (point := of_class.point) is None:
            continue
        row = {"class": name, "recalled from": f"{point.threshold:.4g}"}
        row["probability there"] = f"{float(of_class.fit(np.array(point.threshold))):.3g}"
        for measure, found in point.found.items():
            limits = "" if found.low is None or found.high is None else f" ({found.low:.3f} to {found.high:.3f})"
            row[measure.replace("_", " ")] = "undefined" if found.value is None else f"{found.value:.3f}{limits}"
        rows.append(row)
        cases = f"a population with {point.prevalence:.2%} positive" if point.prevalence else "these breasts"
        chosen = f"Chosen by {point.rule} {point.target:g}; recall rate, PPV and NPV are those of {cases}."
    if rows:
        print_table(rows)
        print(f"{chosen} The intervals choose anew in every replicate.")


def _tell_alignment(calibration: "Calibration", predictions: Path) -> None:
    from mammoseg.calibrate import recalled_before_and_after

    for name, shares in recalled_before_and_after(predictions, calibration).items():
        print(f"{name}: recalled here {shares[0]:.1%} before, {shares[1]:.1%} with the alignment.")
    print(
        "Caution: whatever differs between the sites is taken for the machine's doing. With another share of cancers here, "
        "or other patients, the alignment is wrong: docs/how-to/calibrate.md."
    )
