import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mammoseg.data.manifest import Manifest, ManifestError
from mammoseg.evaluation.join import JoinError, join
from mammoseg.io.errors import RunFileError
from mammoseg.io.runs import load_prediction, record_path, save_prediction
from mammoseg.io.scores_table import write_predictions_csv


def forget(folder: Path, image_id: str) -> None:
    record_path(folder, image_id).unlink()
    write_predictions_csv(folder)


def test_images_failed_and_sources(study) -> None:
    joined = join(study.predictions, study.manifest)
    assert len(joined.images) == 15
    assert joined.failed["image_id"].tolist() == ["2RMLO"]
    assert joined.sources == ("final", "global")
    assert joined.classes == ("benign", "malignant")
    row = joined.images.set_index("image_id").loc["0LCC"]
    assert (row["score_final_malignant"], row["score_global_malignant"]) == (0.9, 0.45)
    assert row["malignant"] == 1


def test_a_class_without_scores_is_none_of_the_model(one_class_study) -> None:
    joined = join(one_class_study.predictions, one_class_study.manifest)
    assert (joined.classes, joined.predicted) == (("benign", "malignant"), ("malignant",))
    assert joined.sources == ("final", "global")
    assert joined.images[["score_final_benign", "score_global_benign"]].isna().all(axis=None)
    assert joined.images["score_global_malignant"].notna().all()


def test_a_split_leaves_the_predictions_of_others_aside(study) -> None:
    joined = join(study.predictions, study.manifest, "val")
    assert set(joined.images["patient_id"]) == {"3"}
    assert joined.failed.empty
    with pytest.raises(ManifestError, match="no image has split 'train'"):
        join(study.predictions, study.manifest, "train")


def test_images_of_training_are_an_error_unless_they_are_meant(study) -> None:
    for image_id in ("0LCC", "3RCC"):
        known = load_prediction(study.predictions, image_id)
        save_prediction(study.predictions, replace(known, of_training=True))
    write_predictions_csv(study.predictions)
    with pytest.raises(
        JoinError, match=r"learned from the patients of 2 of the 16 images .* 0LCC, 3RCC.*--allow-training"
    ):
        join(study.predictions, study.manifest)
    with pytest.raises(JoinError, match=r"patients of 1 of the 4 images"):
        join(study.predictions, study.manifest, "val")
    assert join(study.predictions, study.manifest, training=True).of_training == 2


def test_a_missing_image_is_an_error(study) -> None:
    forget(study.predictions, "0LCC")
    with pytest.raises(JoinError, match=r"(?s)1 of 15 images to evaluate have no prediction, e.g. \['0LCC'\].*Finish"):
        join(study.predictions, study.manifest)
    assert len(join(study.predictions, study.manifest, "val").images) == 4


def test_an_extra_image_is_an_error_even_within_a_split(study) -> None:
    manifest = Manifest(study.manifest.table.query("image_id != '0LCC'"), study.manifest.path)
    with pytest.raises(JoinError, match=r"1 of 15 predictions are not in the manifest, e.g. \['0LCC'\]"):
        join(study.predictions, manifest, "val")


def test_a_table_from_before_the_last_records_is_an_error(study) -> None:
    record_path(study.predictions, "0LCC").unlink()
    with pytest.raises(RunFileError, match=r"does not say what the records say \(1 images differ, e.g. 0LCC\)"):
        join(study.predictions, study.manifest)


def halves(study, of_patient: Callable[[str], bool]) -> list[Path]:
    """The predictions as two folders: those of the patients, and those of the others."""
    folders = []
    for name, there in (("first", of_patient), ("second", lambda patient: not of_patient(patient))):
        folder = study.folder / name
        shutil.copytree(study.predictions, folder)
        for image_id in study.manifest.table["image_id"]:
            if not there(image_id[0]):
                record_path(folder, image_id).unlink(missing_ok=True)
        write_predictions_csv(folder)
        folders.append(folder)
    return folders


def test_parts_of_disjoint_images_are_one(study) -> None:
    first, second = halves(study, lambda patient: patient in "02")
    whole, parts = join(study.predictions, study.manifest), join([first, second], study.manifest)
    assert parts.images.equals(whole.images)
    assert parts.failed["image_id"].tolist() == ["2RMLO"]
    assert parts.folders is not None
    assert (parts.folders["0LCC"], parts.folders["1LCC"]) == (first, second)
    assert len(parts.about["predictions"]["parts"]) == 2


def test_parts_that_share_images_are_refused(study) -> None:
    first, _ = halves(study, lambda patient: patient in "02")
    with pytest.raises(JoinError, match=r"first: 7 of its 7 images are in .*predictions, too, e\.g\. 0LCC.*--pool"):
        join([study.predictions, first], study.manifest)


def test_parts_of_other_classes_are_refused(study, request) -> None:
    first, second = halves(study, lambda patient: patient in "02")
    for image_id in ("1LCC", "1LMLO"):
        both = load_prediction(second, image_id)
        save_prediction(second, replace(both, parts={}))
    for image_id in study.manifest.table["image_id"]:
        if image_id not in ("1LCC", "1LMLO"):
            record_path(second, image_id).unlink(missing_ok=True)
    write_predictions_csv(second)
    with pytest.raises(
        JoinError, match=r"second: has scores of benign, malignant, .*first of benign, malignant, global"
    ):
        join([first, second], study.manifest)


def test_two_parts_that_are_not_all_are_refused(study) -> None:
    first, second = halves(study, lambda patient: patient in "02")
    forget(second, "1LCC")
    with pytest.raises(JoinError, match=r"1 of 15 images to evaluate have no prediction, e\.g\. \['1LCC'\]"):
        join([first, second], study.manifest)
