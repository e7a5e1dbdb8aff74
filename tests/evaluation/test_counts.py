import pandas as pd

from mammoseg.evaluation.counts import counts
from mammoseg.evaluation.join import Joined


def joined(images: pd.DataFrame, failed: pd.DataFrame, levels: tuple[str, ...] = ("image", "breast", "exam")) -> Joined:
    return Joined(images, failed, None, ("final",), ("malignant",), ("malignant",), levels)


def rows(*ids: str) -> pd.DataFrame:
    """patient, side and view in three letters."""
    table = pd.DataFrame([list(each) for each in ids], columns=["patient_id", "laterality", "view"])
    return table.assign(exam_id="e", image_id=list(ids))


def test_breasts_of_one_view_and_breasts_that_are_lost() -> None:
    found = counts(joined(rows("pLC", "pLM", "pRC", "qLC", "qLC"), rows("pRM", "rLC", "rLM")))
    assert {name: found[name] for name in ("n_images", "n_breasts", "n_breasts_one_view", "n_breasts_failed")} == {
        "n_images": 5, "n_breasts": 3, "n_breasts_one_view": 2, "n_breasts_failed": 1,
    }  # fmt: skip
    assert (found["n_patients"], found["n_exams"], found["failed"]) == (2, 2, ["pRM", "rLC", "rLM"])


def test_what_is_not_known_is_not_counted() -> None:
    found = counts(joined(rows("pLC"), rows(), ("image",)))
    assert [found[name] for name in ("n_breasts", "n_exams", "n_breasts_one_view", "n_of_training")] == [None] * 4
    assert counts(joined(rows("pLC").assign(view=""), rows()))["n_breasts_one_view"] is None
