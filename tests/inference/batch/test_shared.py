"""Several processes predict into one folder: each image once, no failure lost, the whole there at every one's end."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference import batch
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor
from mammoseg.io.claims import Claims
from mammoseg.io.failures import Failures
from mammoseg.io.outputs import FolderInUseError, writing_to
from mammoseg.io.runs import predicted_ids
from mammoseg.io.scores_table import read_predictions_csv

Contents = Callable[[Path], dict[str, Any]]


def test_processes_share_the_work(
    trained_run: Path, phantom_study: Manifest, tmp_path: Path, start: Callable[..., Any]
) -> None:
    """Two commands begun together, one image of which cannot be read."""
    table = phantom_study.table.copy()
    table.loc[table.index[3], "path"] = str(tmp_path / "none.png")
    table.to_csv(tmp_path / "images.csv", index=False)
    options = ("--manifest", tmp_path / "images.csv", "--no-overlays", "--out", tmp_path / "out")
    both = [start("predict", "--checkpoint", trained_run, *options) for _ in range(2)]
    told = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [3, 3], told
    counts = [text.split(" images predicted")[0].split()[-1] for text in told]
    assert sum(map(int, counts)) == len(table) - 1, "each image is predicted once"
    assert len(predicted_ids(tmp_path / "out")) == len(table) - 1
    assert len(read_predictions_csv(tmp_path / "out").query("level == 'image'")) == len(table) - 1
    assert Failures(tmp_path / "out").read()["image_id"].tolist() == [table.iloc[3]["image_id"]]
    assert not (tmp_path / "out" / ".claims").exists()


def test_what_another_process_works_on_is_waited_for(
    predictor: Predictor,
    rows: list[ImageRow],
    expected: Path,
    contents: Contents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has one image, gives up another, and fails at a third while we are waiting."""
    predict_images(predictor, rows[:1], tmp_path)
    with writing_to(tmp_path, joins=True) as held, Claims(tmp_path) as others:
        held.share()
        done = (tmp_path / "records" / f"{rows[0].image_id}.json").read_bytes()
        (tmp_path / "records" / f"{rows[0].image_id}.json").unlink()
        assert others.take([row.image_id for row in rows[:3]])

        def meanwhile(_: float) -> None:
            (tmp_path / "records" / f"{rows[0].image_id}.json").write_bytes(done)
            Failures(tmp_path).add(rows[2].image_id, rows[2].path, "read", ValueError("at another place"))
            for row in rows[:3]:
                others.give_back(row.image_id)

        monkeypatch.setattr(batch.time, "sleep", meanwhile)
        assert predict_images(predictor, rows, tmp_path) == BatchResult(predicted=6, done_before=1, failed=1)
    assert Failures(tmp_path).read()["message"].tolist() == ["at another place"]
    assert predict_images(predictor, rows, tmp_path) == BatchResult(predicted=1, done_before=7, failed=0)
    assert contents(tmp_path) == contents(expected)


def test_nobody_begins_anew_while_others_work(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    with writing_to(tmp_path, joins=True) as held:
        held.share()
        with pytest.raises(FolderInUseError):
            predict_images(predictor, rows[:1], tmp_path, overwrite=True)


def test_an_image_of_two_rows_of_a_file_is_its_own(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    twice = [rows[0], replace(rows[0], image_id="again")]
    assert predict_images(predictor, twice, tmp_path) == BatchResult(2, 0, 0)
