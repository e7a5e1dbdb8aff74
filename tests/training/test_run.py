"""A whole run: what it writes, what it reads, how it is continued, and what it refuses."""

import json
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from mammoseg.data import masks
from mammoseg.data.manifest import Manifest, ManifestError, load_manifest
from mammoseg.data.splits import SplitLeakError
from mammoseg.data.window_fit import WindowError
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.failures import Failures
from mammoseg.io.read import ImageReadError, read_mask
from mammoseg.models import build_model
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.training import run as run_module
from mammoseg.training.config import TrainConfig
from mammoseg.training.material import with_splits
from mammoseg.training.module import TrainingError
from mammoseg.training.run import train

STAGES = ("global", "local", "joint")
CPU = torch.device("cpu")


def changed(manifest: Manifest, **columns: object) -> Manifest:
    return Manifest.from_table(manifest.table.assign(**columns), manifest.path)


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a finished stage or run."""
    checkpoint = open_checkpoint(folder / "checkpoint")
    model = build_model(checkpoint.model, TrainConfig.model_validate({"network": checkpoint.network}).network)
    checkpoint.load_weights(model)
    return model.state_dict()


def weights(folder: Path) -> str:
    return open_checkpoint(folder / "checkpoint").sha256


def fails_in(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    def fit_stage(module: Any, *arguments: Any) -> Any:
        if module.stage.name == stage:
            raise RuntimeError("stopped")
        return original(module, *arguments)

    original = run_module.fit_stage
    monkeypatch.setattr(run_module, "fit_stage", fit_stage)


# What a run writes


def test_a_run_writes_what_it_documents(trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest) -> None:
    assert TrainConfig.model_validate(yaml.safe_load((trained_run / "config.yaml").read_text())) == tiny_config
    used = load_manifest(trained_run / "manifest.csv", check_files=True)
    pd.testing.assert_frame_equal(used.table, phantom_study.table)
    assert {path.name for path in (trained_run / "stages").iterdir()} == set(STAGES)
    for name in STAGES:
        expected = {"checkpoint", "patches.csv"} if name == "local" else {"checkpoint"}
        assert {path.name for path in (trained_run / "stages" / name).iterdir()} == expected
        provenance = open_checkpoint(trained_run / "stages" / name / "checkpoint").provenance
        assert provenance["stage"] == name
        assert provenance["criterion"] == "dice"
        assert provenance["best"]["epoch"] in (1, 2)
        assert list((trained_run / "logs" / name).glob("events.*"))
        table = pd.read_csv(trained_run / "logs" / name / "version_0" / "metrics.csv")
        assert table["epoch"].tolist() == [1, 2]
        assert table[["train/loss", "val/loss", "val/select"]].notna().all(axis=None)
        assert table["val/select"].max() == provenance["best"]["select"]
    assert not (trained_run / "errors.csv").exists()
    expected = {"config.yaml", "manifest.csv", "run.json", "cache", "stages", "logs", "checkpoint", "training.html"}
    assert {path.name for path in trained_run.iterdir()} == expected


def test_the_result_knows_its_training_images_and_no_patient(trained_run: Path, phantom_study: Manifest) -> None:
    known = open_checkpoint(trained_run).trained_on
    assert known is not None
    assert (known["images"], known["pixel_mm"], known["sized"]) == (28, [1.12, 1.12], 28), "train rows, not val"
    assert len(known["mean"]) == 6
    text = json.dumps(known)
    assert not [value for row in phantom_study.rows() for value in (row.patient_id, row.image_id) if value in text]


def test_patches_are_chosen_on_every_image_of_train_and_val(trained_run: Path, phantom_study: Manifest) -> None:
    table = pd.read_csv(trained_run / "stages" / "local" / "patches.csv")
    rows = [row for row in phantom_study.rows() if row.split != "test"]
    assert table.groupby("image_id").size().to_dict() == {row.image_id: 2 for row in rows}


def test_the_result_is_the_last_stage_and_predicts(trained_run: Path, phantom_study: Manifest) -> None:
    assert weights(trained_run) == weights(trained_run / "stages" / "joint")
    provenance = open_checkpoint(trained_run).provenance
    assert (
        provenance["manifest_sha256"] == phantom_study.sha256() == load_manifest(trained_run / "manifest.csv").sha256()
    )
    assert provenance["training"]["stages"]["local"]["epochs"] == 2
    predictor = open_predictor(trained_run, "cpu")
    row = next(phantom_study.subset("test").rows())
    prediction = predictor.predict(row)
    assert all(0 <= p <= 1 for p in prediction.scores.values())


def test_each_stage_changes_what_it_trains_and_nothing_else(trained_run: Path, tiny_config: TrainConfig) -> None:
    """Batch norm included: its statistics move where the stage trains, and only there."""
    torch.manual_seed(tiny_config.seed)
    before = build_model("glam", tiny_config.network).state_dict()
    for name, trains in (("global", "global_module."), ("local", "local_module."), ("joint", "")):
        after = tensors(trained_run / "stages" / name)
        for tensor, value in after.items():
            assert torch.equal(value, before[tensor]) != tensor.startswith(trains), f"{name}: {tensor}"
        before = after


# What a run reads


def test_masks_of_training_images_are_never_opened(
    trained_run: Path,
    tiny_config: TrainConfig,
    phantom_study: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = phantom_study.table.copy()
    garbage = tmp_path / "mask.png"
    garbage.write_bytes(b"no image")
    not_val = table["split"] != "val"
    for column in ("benign_mask", "malignant_mask"):
        table.loc[not_val & table[column].notna(), column] = str(garbage)
    opened: set[Path] = set()
    monkeypatch.setattr(masks, "read_mask", lambda path: (opened.add(path), read_mask(path))[1])
    out = tmp_path / "run"
    train(tiny_config, Manifest.from_table(table, phantom_study.path), out, CPU, cache_folder=trained_run / "cache")
    assert opened == {path for row in phantom_study.subset("val").rows() for path in row.masks.values()}
    assert weights(out) == weights(trained_run)


def test_a_damaged_mask_of_validation_is_told_before_training(
    short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    table = phantom_study.table.copy()
    garbage = tmp_path / "damaged_mask.png"
    garbage.write_bytes(b"no image")
    table.loc[(table["split"] == "val") & table["benign_mask"].notna(), "benign_mask"] = str(garbage)
    with pytest.raises(ImageReadError, match="damaged_mask"):
        train(short, Manifest.from_table(table, phantom_study.path), tmp_path / "run", CPU)
    assert not (tmp_path / "run" / "stages").exists()


def test_test_images_are_not_touched(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    table = phantom_study.table.copy()
    table.loc[table["split"] == "test", "path"] = "nowhere.png"
    result = train(
        short, Manifest.from_table(table, phantom_study.path), tmp_path, CPU, cache_folder=trained_run / "cache"
    )
    assert result.failed == 0


def test_without_masks_the_auc_decides(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    manifest = changed(phantom_study, benign_mask=None, malignant_mask=None)
    train(short, manifest, tmp_path, CPU, cache_folder=trained_run / "cache")
    provenance = open_checkpoint(tmp_path / "stages" / "global" / "checkpoint").provenance
    assert provenance["criterion"] == "auc"
    auc = [value for name, value in provenance["best"].items() if name.startswith("auc_")]
    assert provenance["best"]["select"] == pytest.approx(np.mean(auc))


def test_without_positives_in_validation_the_loss_decides_with_one_warning(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = phantom_study.table.assign(benign_mask=None, malignant_mask=None)
    table.loc[table["split"] == "val", ["benign", "malignant"]] = 0.0
    train(short, Manifest.from_table(table, phantom_study.path), tmp_path, CPU, cache_folder=trained_run / "cache")
    assert open_checkpoint(tmp_path / "stages" / "joint" / "checkpoint").provenance["criterion"] == "loss"
    assert [r.levelname for r in caplog.records if "AUC is undefined" in r.getMessage()] == ["WARNING"]


def test_training_without_any_finding_is_warned_of(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = phantom_study.table.assign(benign_mask=None, malignant_mask=None, benign=0.0, malignant=0.0)
    train(short, Manifest.from_table(table, phantom_study.path), tmp_path, CPU, cache_folder=trained_run / "cache")
    assert any("No training image has a benign or malignant finding" in r.getMessage() for r in caplog.records)


# Images that cannot be used


def broken(manifest: Manifest, folder: Path, splits: dict[str, int]) -> Manifest:
    """The first images of the splits are damaged files."""
    table = manifest.table.copy()
    for split, count in splits.items():
        for index in table.index[table["split"] == split][:count]:
            path = folder / f"{table.loc[index, 'image_id']}.png"
            path.write_bytes(b"damaged")
            table.loc[index, "path"] = str(path)
    return Manifest.from_table(table, manifest.path)


def test_images_that_fail_are_left_out_and_listed(
    short: TrainConfig, phantom_study: Manifest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = broken(phantom_study, tmp_path, {"train": 2, "val": 1, "test": 1})
    out = tmp_path / "run"
    used = {row.image_id for row in manifest.rows() if row.split != "test"}
    failed = sorted(path.stem for path in tmp_path.glob("*.png") if path.stem in used)
    with caplog.at_level(logging.WARNING):
        assert train(short, manifest, out, CPU).failed == 3
    assert "3 of 36 images could not be prepared and are left out" in caplog.text
    errors = Failures(out).read()
    assert sorted(errors["image_id"]) == failed
    assert set(errors["step"]) == {"prepare"}
    patches = pd.read_csv(out / "stages" / "local" / "patches.csv")
    assert not set(failed) & set(patches["image_id"])
    assert train(short, manifest, out, CPU).failed == 3  # a finished run tells it again
    assert train(short, manifest, out, CPU, overwrite=True).failed == 3
    assert sorted(Failures(out).read()["image_id"]) == failed


def test_an_image_repaired_before_the_run_is_continued_takes_part(
    short: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = broken(phantom_study, tmp_path, {"train": 1, "val": 1})
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        fails_in(patch, "local")
        with pytest.raises(RuntimeError, match="stopped"):
            train(short, manifest, out, CPU)
    good = {row.image_id: row.path for row in phantom_study.rows()}
    for path in tmp_path.glob("*.png"):
        path.write_bytes(good[path.stem].read_bytes())
    assert train(short, manifest, out, CPU).failed == 0
    assert Failures(out).read().empty


@pytest.mark.parametrize("splits", [{"train": 99}, {"val": 99}])
def test_a_split_of_which_every_image_fails(
    splits: dict[str, int], short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    manifest = broken(phantom_study, tmp_path, splits)
    with pytest.raises(TrainingError, match=r"(0 images of split train|and 0 of val).*Expected.*errors\.csv"):
        train(short, manifest, tmp_path / "run", CPU)
    assert len(Failures(tmp_path / "run").read()) == (28 if "train" in splits else 8)
    assert not (tmp_path / "run" / "run.json").exists()  # nothing was trained: the manifest may be corrected


# Splits and labels


def test_splits_are_drawn_by_patient_and_saved(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = short.model_copy(update={"split_fractions": (0.5, 0.25, 0.25)})
    manifest = changed(phantom_study, split=None)
    train(config, manifest, tmp_path, CPU, cache_folder=trained_run / "cache")
    table = load_manifest(tmp_path / "manifest.csv").table
    assert set(table["split"]) == {"train", "val", "test"}
    assert (table.groupby("patient_id")["split"].nunique() == 1).all()
    monkeypatch.setattr(run_module, "prepared", None)
    train(config, manifest, tmp_path, CPU)  # the same splits again: the same run


@pytest.mark.parametrize("known", [True, False])
def test_splits_follow_the_dates_of_exams_where_all_are_known(
    short: TrainConfig, phantom_study: Manifest, known: bool
) -> None:
    config = short.model_copy(update={"split_fractions": (0.5, 0.25, 0.25), "chronological": True})
    dates = {name: f"2024-01-{31 - n}" for n, name in enumerate(sorted(phantom_study.table["patient_id"].unique()))}
    manifest = changed(phantom_study, split=None, study_date=phantom_study.table["patient_id"].map(dates))
    if not known:
        manifest.table.loc[manifest.table["patient_id"] == min(dates), "study_date"] = None
    table = with_splits(config, manifest).table
    latest = {split: {dates[patient] for patient in part["patient_id"]} for split, part in table.groupby("split")}
    ordered = max(latest["train"]) < min(latest["val"]) and max(latest["val"]) < min(latest["test"])
    assert ordered == known


def refused(config: TrainConfig, manifest: Manifest, out: Path, error: type[Exception], message: str) -> None:
    """Before anything is written, so that the same folder can be used once the manifest is corrected."""
    with pytest.raises(error, match=message):
        train(config, manifest, out, CPU)
    assert not out.exists()


def test_a_window_that_misses_the_breast_is_refused(
    short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    """The pixels of the file, twice as fine as those the window is made for: a corner of the breast."""
    unknown = changed(phantom_study, pixel_mm=np.nan)
    with pytest.raises(WindowError, match=r"some.*manifest.csv: in the median image only \d\d% .*--pixel-mm"):
        train(short, Manifest(unknown.table, Path("some/manifest.csv")), tmp_path / "run", CPU)
    assert not (tmp_path / "run" / "stages").exists()
    train(short, unknown.with_pixel_mm(1.12), tmp_path / "run", CPU)


def test_leaking_splits_are_refused(short: TrainConfig, phantom_study: Manifest, tmp_path: Path) -> None:
    table = phantom_study.table.copy()
    in_train, in_test = (table.index[table["split"] == split][0] for split in ("train", "test"))
    table.loc[in_test, "path"] = table.loc[in_train, "path"]
    manifest = Manifest.from_table(table, phantom_study.path)
    refused(short, manifest, tmp_path / "run", SplitLeakError, "1 files are in more than one split")


def test_val_is_drawn_where_an_official_split_has_none(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    config = short.model_copy(update={"split_fractions": (0.6, 0.4, 0)})
    manifest = Manifest.from_table(phantom_study.table.replace({"split": {"val": "train"}}), phantom_study.path)
    train(config, manifest, tmp_path, CPU, cache_folder=trained_run / "cache")
    table = load_manifest(tmp_path / "manifest.csv").table.set_index("image_id")["split"]
    given = manifest.table.set_index("image_id")["split"]
    assert set(given[table == "val"]) == {"train"}
    assert set(table[given == "test"]) == {"test"}


def test_a_manifest_with_nothing_to_train_on(short: TrainConfig, phantom_study: Manifest, tmp_path: Path) -> None:
    table = phantom_study.table[phantom_study.table["split"] != "train"]
    manifest = Manifest.from_table(table, phantom_study.path)
    refused(short, manifest, tmp_path / "run", ManifestError, "no image has split 'train'; rows per split: ")


def test_a_manifest_without_any_label(short: TrainConfig, phantom_study: Manifest, tmp_path: Path) -> None:
    manifest = changed(phantom_study, benign=np.nan, malignant=np.nan)
    refused(short, manifest, tmp_path / "run", ValueError, "none of the training images has a known label")


def test_only_negatives_can_be_trained_on(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    manifest = changed(phantom_study, benign=0.0, malignant=0.0, benign_mask=None, malignant_mask=None)
    assert train(short, manifest, tmp_path, CPU, cache_folder=trained_run / "cache").failed == 0


def test_unreadable_pixels_are_an_error_of_the_image(
    short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    """An image without any breast is readable and yet cannot be prepared."""
    manifest = broken(phantom_study, tmp_path, {"train": 1})
    [path] = tmp_path.glob("*.png")
    cv2.imwrite(str(path), np.zeros((208, 160), np.uint16))
    assert train(short, manifest, tmp_path / "run", CPU).failed == 1
    assert Failures(tmp_path / "run").read()["error"].tolist() == ["PrepError"]
