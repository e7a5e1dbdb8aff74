"""A study, arm by arm and seed by seed: train, predict the test images, evaluate, measure what it costs.

    OUT/manifest.csv            the images, with the splits that all arms share; of generated exams beside OUT/phantoms/
    OUT/cache/                  prepared images; may be deleted
    OUT/runs/ARM-SEED/          a training run (training/run.py)
    OUT/heatmaps/ARM-SEED/      of the patch classifier of an arm, where others see them (inference/heatmaps.py)
    OUT/tested/ARM-SEED/        arm.json, of which settings it is; predictions/ of the test images, metrics/ of `evaluate`; arms
                                that differ in whose score and which map count share those of the first of them
    OUT/costs/ARM.json          of the first seed
    OUT/errors.csv              arms that ended with an error; the others go on

The same call continues what was stopped, however hard; several processes may work in OUT at the same time.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mammoseg.bench.cost import TOTAL, macs
from mammoseg.bench.timing import EXAM_IMAGES, Load, MeasuringError, measure
from mammoseg.bounded import read_json
from mammoseg.config import with_overrides
from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.data.units import view_of
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.evaluation.results import SETTINGS, read_results
from mammoseg.inference.batch import predict_images
from mammoseg.inference.engines.pytorch import open_engine
from mammoseg.inference.heatmaps import write_heatmaps
from mammoseg.inference.pipeline import DISK_FULL
from mammoseg.inference.predictor import open_predictor
from mammoseg.inference.trained import checkpoint_settings
from mammoseg.ingest.synthetic import write_study
from mammoseg.io.atomic import write_json
from mammoseg.io.failures import Failures
from mammoseg.io.outputs import FolderInUseError, alone_in, writing_to
from mammoseg.models import build_model, parameters, seen_by
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.phantom.config import PhantomConfig
from mammoseg.progress import Bar
from mammoseg.study.plan import Arm, Plan
from mammoseg.study.settings import StudyError, check_shown, claim, config_of, costs_settings, faults, is_own
from mammoseg.training.config import TrainConfig
from mammoseg.training.material import with_splits
from mammoseg.training.run import train

logger = logging.getLogger(__name__)

MANIFEST = "manifest.csv"
PATIENCE = 600.0
"""Seconds to wait for another process that generates exams or evaluates."""


@dataclass(frozen=True)
class Study:
    """What is run, and where."""

    plan: Plan
    manifest: Manifest
    out: Path
    device: torch.device
    workers: int = 0

    def run_folder(self, arm: Arm, seed: int) -> Path:
        return self.out / "runs" / f"{self.plan.trained_by(arm).name}-{seed}"

    def tested_folder(self, arm: Arm, seed: int) -> Path:
        return self.out / "tested" / f"{self.plan.tested_as(arm)}-{seed}"

    def seeds_of(self, arm: Arm) -> list[int]:
        """Those with which the arm has been tested, with the settings of the plan."""
        return [seed for seed in self._tested(arm) if is_own(self.tested_folder(arm, seed), self.plan, arm, seed)]

    def of_other_settings(self, arm: Arm) -> list[int]:
        """Those with which it has been tested with other settings."""
        return [seed for seed in self._tested(arm) if not is_own(self.tested_folder(arm, seed), self.plan, arm, seed)]

    def _tested(self, arm: Arm) -> list[int]:
        name = self.plan.tested_as(arm)
        found = [path.parts[-3].rpartition("-") for path in self.out.glob(f"tested/{name}-*/metrics/{SETTINGS}")]
        return sorted(int(seed) for tested, _, seed in found if tested == name and seed.isdecimal())

    def costs_of(self, arm: Arm) -> dict[str, Any]:
        """What `_costs` has measured of the network of the plan; empty: nothing."""
        path = self.costs_file(arm)
        try:
            found = dict(read_json(path)) if path.exists() else {}
            return found if found and found.get("of") == costs_settings(self.plan, arm) else {}
        except ValueError:  # of no settings at all, as the plan is now, or damaged
            return {}

    def costs_file(self, arm: Arm) -> Path:
        return self.out / "costs" / f"{self.plan.tested_as(arm)}.json"


def open_study(
    plan: Plan, given: Manifest | None, out: Path, device: torch.device, workers: int = 0, exams: int | None = None
) -> Study:
    """The images of a study: those of the manifest, or generated ones, `exams` of them if it says so. They are in OUT/manifest.csv
    then, with the same splits for all arms.

    Raises StudyError if there are none, or the folder holds a study of other images; ManifestError without test images; and like
    `with_splits`.
    """
    if given is not None and exams is not None:
        raise StudyError("--exams is of phantoms, and --manifest is given. Expected one of them. Leave the other out.")
    with alone_in(out, PATIENCE):
        if given is None:
            if plan.phantoms is None:
                raise StudyError(
                    "this study is of images of yours. Expected a table of them (docs/reference/manifest.md). Give one with "
                    "--manifest."
                )
            given = _phantoms(plan, out, workers, exams or plan.phantoms.exams)
        manifest = with_splits(TrainConfig(), given)
        manifest.subset("test")  # without one, arms cannot be compared: it says so
        path = out / MANIFEST
        if path.exists():
            known = load_manifest(path)
            if known.sha256(splits=True) != manifest.sha256(splits=True):
                raise StudyError(
                    f"{out}: holds a study of other images, labels or splits than {given.path}. Expected the same. Choose a new "
                    "folder."
                )
        else:
            manifest.to_csv(path)
    return Study(plan, load_manifest(path), out, device, workers)


def _phantoms(plan: Plan, out: Path, workers: int, exams: int) -> Manifest:
    made = plan.phantoms
    if made is None:
        raise TypeError("a plan without phantoms")
    if (out / MANIFEST).exists() and (known := load_manifest(out / MANIFEST).table["exam_id"].nunique()) != exams:
        raise StudyError(
            f"{out}: holds a study of {known} exams, not of {exams}. Expected --exams {known}, or a new folder."
        )
    with Bar("phantoms", exams) as bar:
        folder = out / "phantoms"
        return load_manifest(
            write_study(folder, exams, PhantomConfig.small(), made.seed, made.splits, max(1, workers), bar.advance)
        )


@dataclass(frozen=True)
class Progress:
    """What has become of a call."""

    failed: dict[str, str]
    """ARM-SEED -> why, of this call."""
    elsewhere: tuple[str, ...]
    """ARM-SEED that other processes are working on."""


def work(study: Study, arms: Sequence[Arm], seeds: Sequence[int]) -> Progress:
    """Do what is not done yet, seed by seed. An arm that ends with an error is noted, and tried again by the next call.

    Raises OSError if the disk is full.
    """
    failures, failed, wrong = Failures(study.out), {}, faults(study.plan, arms)
    for arm in (arm for arm in arms if arm.name in wrong):
        for name in (f"{arm.name}-{seed}" for seed in seeds):
            logger.warning("%s is left out: %s", name, wrong[arm.name])
            failed[name] = str(wrong[arm.name])
            failures.add(name, "", "study", wrong[arm.name])
    waiting = [(seed, arm) for seed in seeds for arm in arms if arm.name not in wrong]
    for looked_again in (False, True):  # who worked on one may have been killed meanwhile
        elsewhere = []
        for number, (seed, arm) in enumerate(waiting, start=1):
            name = f"{arm.name}-{seed}"
            logger.info("%s: %d of %d", name, number, len(waiting))
            try:
                _do(study, arm, seed)
            except FolderInUseError:
                elsewhere.append((seed, arm))
            except (ValueError, OSError, RuntimeError) as error:
                if isinstance(error, OSError) and error.errno in DISK_FULL:
                    raise
                logger.warning("%s: %s", name, error)
                failed[name] = str(error)
                failures.add(name, "", "study", error)
            else:
                failures.remove(name)
        if looked_again or not elsewhere:
            break
        waiting = elsewhere
    failures.write_table()
    return Progress(failed, tuple(f"{arm.name}-{seed}" for seed, arm in elsewhere))


def _do(study: Study, arm: Arm, seed: int) -> None:
    run, tested = study.run_folder(arm, seed), study.tested_folder(arm, seed)
    claim(tested, study.plan, arm, seed)
    if not (tested / "metrics" / SETTINGS).exists() or Failures(tested / "predictions").image_ids():
        images = _with_heatmaps(study, arm, seed)
        _train(study, arm, seed, images)
        predictor = open_predictor(run / arm.checkpoint, str(study.device), arm.predict)
        views = predictor.engine.sees.views
        rows = [row for row in images.subset("test").rows() if not views or view_of(row, views)]
        with Bar("predict", len(rows)) as bar:
            predict_images(predictor, rows, tested / "predictions", max(1, study.workers), progress=bar.advance)
        with writing_to(tested / "metrics"):
            evaluate(tested / "predictions", study.manifest, tested / "metrics", split="test")
    check_shown(arm, read_results(tested / "metrics"))
    if study.costs_of(arm).get("seconds_per_exam") is None:
        costs = _costs(run / arm.checkpoint, arm.predict, study.device)
        write_json(study.costs_file(arm), {**costs, "of": costs_settings(study.plan, arm)})


def _train(study: Study, arm: Arm, seed: int, images: Manifest) -> None:
    config = config_of(study.plan, arm, seed)
    folder = study.run_folder(arm, seed)
    train(config, images, folder, study.device, study.workers, cache_folder=study.out / "cache")


def _with_heatmaps(study: Study, arm: Arm, seed: int) -> Manifest:
    """The images, with the heatmaps of the patch classifier of another arm if this one sees some."""
    classifier = study.plan.classifier_of(arm)
    if classifier is None:
        return study.manifest
    _train(study, classifier, seed, study.manifest)
    folder = study.out / "heatmaps" / f"{classifier.name}-{seed}"
    checkpoint = study.run_folder(classifier, seed) / classifier.checkpoint
    engine = open_engine(checkpoint, str(study.device), classifier.predict)
    with writing_to(folder, "failures", "walks"), Bar("heatmaps", len(study.manifest.table)) as bar:
        made = write_heatmaps(engine, study.manifest, folder, bar.advance)
    return load_manifest(made.manifest)


def _costs(checkpoint: Path, sets: Sequence[str], device: torch.device) -> dict[str, Any]:
    """Of the network at its window: parameters, MACs, seconds and memory of an exam of four images, forward; `reason`: why time and
    memory are missing."""
    opened = open_checkpoint(checkpoint)
    network, prep = checkpoint_settings(opened)
    network = with_overrides(network, sets=sets)
    seen = seen_by(opened.model, network)
    load = Load(
        *(partial(build_model, opened.model, network), prep.canvas, device),
        repeats=3,
        channels=seen.channels,
        views=len(seen.views),
    )
    with torch.device("meta"):
        model = load.build().eval()
    found: dict[str, Any] = {"parameters": parameters(model), "macs_per_exam": None, "reason": None}
    try:
        found["macs_per_exam"] = EXAM_IMAGES * macs(model, load.image_shape, load.channels, load.views)[TOTAL]
        forward = measure(load, "forward")
        found |= {"seconds_per_exam": forward.seconds_per_exam, "peak_bytes": forward.peak_bytes}
    except (MeasuringError, ValueError, RuntimeError) as error:
        found["reason"] = str(error)
    return found
