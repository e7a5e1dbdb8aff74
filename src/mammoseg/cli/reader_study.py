"""`mammoseg reader-study`: scores of readers and models -> who reads how well, together and against each other."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mammoseg.cli import options


def reader_study(
    table: Annotated[Path, typer.Argument(metavar="TABLE", dir_okay=False, help="CSV or Excel table, or verdicts.")],
    out: options.Out,
    readers: Annotated[
        list[str] | None,
        typer.Option("--readers", metavar="PATTERN", help="Columns of readers, e.g. 'Reader*', or NAME=PATTERN."),
    ] = None,
    models: Annotated[list[str] | None, typer.Option("--models", metavar="PATTERN", help="Columns of models.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Column of labels; with verdicts the class.")] = None,
    case: Annotated[str | None, typer.Option("--case", help="Column of cases.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", help="Column of patients.")] = None,
    side: Annotated[str | None, typer.Option("--side", help="Column of sides.")] = None,
    reader: Annotated[str | None, typer.Option("--reader", help="Column of readers, a row for each score.")] = None,
    modality: Annotated[str | None, typer.Option("--modality", help="Column of modalities, likewise.")] = None,
    score: Annotated[str | None, typer.Option("--score", help="Column of scores; of verdicts score or birads.")] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option("--predictions", file_okay=False, help="TABLE holds verdicts on these predictions."),
    ] = None,
    manifest: Annotated[Path | None, typer.Option("--manifest", "-m", help="With --predictions: the labels.")] = None,
    hash_ids: options.HashIds = None,
    recall_at: Annotated[float | None, typer.Option("--recall-at", help="Score from which readers recall.")] = None,
    sensitivity: Annotated[
        list[float] | None,
        typer.Option("--sensitivity", min=0, max=1, help="Compare specificities there; repeatable."),
    ] = None,
    reader_scale: Annotated[
        float | None, typer.Option("--reader-scale", min=1e-9, help="Score of readers that is certainty: 1, 100.")
    ] = None,
    covariance: Annotated[
        Literal["jackknife", "delong", "bootstrap"], typer.Option("--covariance", help="Of AUCs over patients.")
    ] = "jackknife",
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=0, help="Replicates for intervals.")] = 1000,
    seed: options.Seed = 0,
) -> int:
    """Compare readers with models and with each other.

    TABLE has a row per breast, or a row per score, or is verdicts.csv of `serve`.
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.ingest.tables import read_table
    from mammoseg.io.outputs import writing_to
    from mammoseg.reader_study.long import read_long
    from mammoseg.reader_study.settings import Settings
    from mammoseg.reader_study.tables import reasons, summary_tables
    from mammoseg.reader_study.verdicts import read_verdicts
    from mammoseg.reader_study.wide import Columns, read_wide
    from mammoseg.reader_study.write import write_study

    if bool(predictions) != (manifest is not None):
        raise typer.BadParameter(
            "verdicts need both. Give the predictions that were read and their manifest.",
            param_hint="--predictions, --manifest",
        )
    ignored = {"--readers": readers, "--models": models, "--case": case, "--patient": patient, "--side": side}
    ignored |= {"--reader": reader, "--modality": modality}
    if predictions and (given := [name for name, value in ignored.items() if value]):
        raise typer.BadParameter(
            "verdicts of `serve` say it themselves. Leave it out, or leave --predictions out.",
            param_hint=", ".join(given),
        )
    if covariance == "bootstrap" and bootstrap < 2:
        raise typer.BadParameter(
            "a covariance by bootstrap needs replicates. Give some, as 1000.", param_hint="--bootstrap"
        )
    cells = read_table(table)
    columns = Columns(label, case, patient, side, reader, modality, score)
    images = options.read_manifest(manifest, hash_ids)
    if predictions and images:
        study = read_verdicts(cells, options.named(predictions), images, label or "malignant", score or "score")
        reader_scale = reader_scale or (None if score == "birads" else 100.0)
    else:
        study = read_wide(cells, columns, readers, models or []) if readers else read_long(cells, columns, models or [])
        reader_scale = reader_scale or 1.0
    settings = Settings(recall_at, tuple(sensitivity or ()), reader_scale, covariance, bootstrap, seed)
    with writing_to(out):
        results = write_study(study, settings, table, out)
    print(_counts(results))
    for heading, rows in summary_tables(results):
        print(f"\n{heading}:")
        print_table(rows)
    for remark in (*results["remarks"], *reasons(results), results["caution"]):
        if remark:
            print(remark[0].upper() + remark[1:] + ".")
    print(f"All numbers: {out / 'reader_study.json'}")
    return 0


def _counts(results: dict[str, Any]) -> str:
    from mammoseg.wording import counted

    left_out = ", ".join(f"{count} {why}" for why, count in results["left_out"].items())
    return (
        f"{counted(results['readers'], 'reader')}, {counted(results['n'], 'case')} ({results['positives']} positive) of "
        f"{counted(results['patients'], 'patient')}{f'; left out: {left_out}' if left_out else ''}"
    )
