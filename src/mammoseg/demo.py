"""The main job from beginning to end on generated data: phantoms, prediction, evaluation, a page to look at; with training, or
with the weights that come with the package."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from mammoseg.data.manifest import ImageRow, load_manifest
from mammoseg.drawing.page import Figure, Step, write_page
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.evaluation.tables import summary_table
from mammoseg.export.figures import overlay_writer
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.ingest.synthetic import clear_study, write_study
from mammoseg.io.runs import overlay_path
from mammoseg.phantom.config import PhantomConfig
from mammoseg.progress import Bar
from mammoseg.recipes.glam import glam_demo
from mammoseg.records.colours import legend
from mammoseg.records.label import CLASSES
from mammoseg.training.run import train

WEIGHTS = "glam_phantom"
LEARNED_SEED = 101
"""Generator seed of the exams that the weights have learned from."""
EXAMS = 30
TRAIN_EXAMS = 270
TRAIN_SPLITS = (0.76, 0.08, 0.16)
SHOWN = 24
"""Figures on the page."""

Say = Callable[[str], None]


def run_demo(
    out: Path, device: torch.device, workers: int, seed: int, overwrite: bool, training: bool, say: Say
) -> dict[str, Any]:
    """Run everything below `out`; `say` hears what happens. Returns the metrics. A second call continues.

    Raises ValueError for exams that the weights have learned from.
    """
    if not training and seed == LEARNED_SEED:
        raise ValueError(
            f"seed {seed}: {WEIGHTS} has learned from these exams. Expected exams it has never seen: another --seed."
        )
    exams, splits = (TRAIN_EXAMS, TRAIN_SPLITS) if training else (EXAMS, (0.0, 0.0, 1.0))
    steps: list[Step] = []

    @contextmanager
    def step(name: str, detail: str, folder: Path) -> Iterator[None]:
        title = f"{len(steps) + 1}. {name}"
        say(f"{title}: {detail}")
        started = time.monotonic()
        yield
        steps.append(Step(title, detail, time.monotonic() - started, folder))
        say(f"  {steps[-1].seconds:.0f} s, files in {folder}")

    study, run, predictions, metrics_folder = out / "study", out / "run", out / "predictions", out / "metrics"
    if overwrite:
        clear_study(study)
    with step("Phantoms", f"{exams} synthetic screening exams with known lesions", study):
        with Bar("phantoms", exams) as bar:
            path = write_study(study, exams, PhantomConfig.small(), seed, splits, max(1, workers), bar.advance)
        manifest = load_manifest(path)
    checkpoint = Path(WEIGHTS)
    if training:
        config = glam_demo().model_copy(update={"seed": seed})
        with step("Training", "GLAM in five stages, from image-level labels only. How long it takes is told soon", run):
            checkpoint = train(config, manifest, run, device, overwrite=overwrite).checkpoint
    held_out = list(manifest.subset("test").rows())
    with step("Prediction", f"{len(held_out)} images of held-out exams: scores, maps, figures", predictions):
        predictor = open_predictor(checkpoint, str(device))
        write = overlay_writer(predictions, predictor.prep)
        with Bar("predict", len(held_out)) as bar:
            predict_images(predictor, held_out, predictions, workers, overwrite, write, bar.advance)
    what = "AUC by breast and image, Dice and peak of the maps, 95 % intervals"
    with step("Evaluation", what, metrics_folder):
        metrics = evaluate(predictions, manifest, metrics_folder, split="test", seed=seed)
    chart = Figure(metrics_folder / "roc.png", "ROC of held-out breasts")
    examples = [Figure(overlay_path(predictions, row.image_id), _caption(row)) for row in _to_show(held_out)]
    intro = (
        "GLAM learned from image-level labels of generated mammograms whether a breast has a benign or a malignant lesion, and "
        f"where it is. Below are exams it has never seen: image with the true outline ({legend(CLASSES)}), the patches it looked "
        "at, its maps, and the patches enlarged. Phantoms are simpler than patients: the numbers say that the software works, not "
        "how well it reads mammograms."
    )
    write_page(out / "index.html", "mammoseg demo", intro, summary_table(metrics), examples, steps, chart)
    return metrics


def _to_show(rows: list[ImageRow]) -> list[ImageRow]:
    """The page's examples: images with lesions, then some without."""
    lesion = [row for row in rows if any(row.labels.values())]
    normal = [row for row in rows if not any(row.labels.values())]
    return [*lesion[: SHOWN * 3 // 4], *normal[: SHOWN // 4]]


def _caption(row: ImageRow) -> str:
    truth = [name for name, label in row.labels.items() if label]
    return f"{row.image_id}: {' and '.join(truth) or 'no'} lesion"
