"""The way in from Python: what a user types in a notebook, on files and on arrays."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import mammoseg
from mammoseg.calibrate import calibrate
from mammoseg.calibration.stored import CalibrationError
from mammoseg.data import load
from mammoseg.data.manifest import Manifest
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.ingest import examine
from mammoseg.io.calibration import write_calibration
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import read_image, read_pixels
from mammoseg.io.runs import load_prediction, map_png_path
from mammoseg.io.scores_table import read_predictions_csv
from mammoseg.nn.checkpoint import CheckpointError


@pytest.fixture(scope="module")
def model(trained_run: Path) -> mammoseg.Model:
    return mammoseg.load(str(trained_run), "cpu")


def test_a_file_says_what_the_command_says(
    model: mammoseg.Model, trained_run: Path, phantom_study: Manifest, tmp_path: Path
) -> None:
    """Scores, maps on the pixels of the file, findings: the same as in a predictions folder, on either side."""
    rows = {row.laterality: row for row in phantom_study.subset("test").rows()}
    predict_images(open_predictor(trained_run, "cpu"), list(rows.values()), tmp_path)
    for row in rows.values():
        result, known = model(row.path, pixel_mm=row.pixel_mm), load_prediction(tmp_path, row.image_id)
        assert dict(result.scores) == pytest.approx(dict(known.scores), abs=1e-6)
        for name in model.classes:
            png = cv2.imread(str(map_png_path(tmp_path, row.image_id, name)), cv2.IMREAD_UNCHANGED)
            assert result.maps[name].shape == read_pixels(row.path).shape
            np.testing.assert_allclose(result.maps[name], png / 65535, atol=1e-5)
        assert [finding.label for finding in result.findings] == [finding.label for finding in known.findings]
        assert result.findings[0].peak == known.findings[0].peak
        assert result.notes == known.notes


def test_an_array_says_what_its_file_says(model: mammoseg.Model, phantom_study: Manifest) -> None:
    row = next(phantom_study.subset("test").rows())
    about = {"laterality": row.laterality, "view": row.view, "pixel_mm": row.pixel_mm}
    of_file, of_array = model(row.path, **about), model(read_pixels(row.path), **about)  # type: ignore[arg-type]
    assert dict(of_array.scores) == dict(of_file.scores)
    assert of_array.findings == of_file.findings
    np.testing.assert_array_equal(of_array.maps["malignant"], of_file.maps["malignant"])


def test_a_dicom_file(model: mammoseg.Model, write_mammogram: Callable[..., Path], tmp_path: Path) -> None:
    path = write_mammogram(tmp_path / "x.dcm", "R", "MLO", ImagerPixelSpacing=[1.5, 1.5])
    result = model(path)
    assert (result.prediction.laterality, result.prediction.view) == ("R", "MLO")
    assert result.prediction.source is not None
    assert result.prediction.source.dicom is not None


def test_an_image_is_decoded_once(
    model: mammoseg.Model, write_mammogram: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_mammogram(tmp_path / "x.dcm", "R", "MLO", ImagerPixelSpacing=[1.5, 1.5])
    decoded = []

    def counted(*given: Any) -> Any:
        decoded.append(given)
        return read_image(*given)

    for module in (load, examine):
        monkeypatch.setattr(module, "read_image", counted)
    model(path)
    assert len(decoded) == 1


def test_the_figure_is_a_picture_to_look_at(model: mammoseg.Model, phantom_study: Manifest, tmp_path: Path) -> None:
    row = next(phantom_study.subset("test").rows())
    figure = model(row.path, pixel_mm=row.pixel_mm).figure()
    figure.save(tmp_path / "figure.png")
    assert np.asarray(figure).std() > 10
    assert min(figure.size) > 300


def test_several_checkpoints_are_their_mean(
    trained_run: Path, tiny_gmic: Callable[..., Path], phantom_study: Manifest
) -> None:
    row = next(phantom_study.subset("test").rows())
    folders = [trained_run, tiny_gmic(1)]
    each = [mammoseg.load(folder, "cpu")(row.path, pixel_mm=row.pixel_mm).scores["malignant"] for folder in folders]
    both = mammoseg.load(folders, "cpu")(row.path, pixel_mm=row.pixel_mm).scores["malignant"]
    assert both == pytest.approx(np.mean(each), abs=1e-6)


def test_mistakes_are_told(model: mammoseg.Model, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        mammoseg.load(tmp_path)
    with pytest.raises(ImageReadError, match=r"none\.dcm: "):
        model(tmp_path / "none.dcm")
    (tmp_path / "notes.txt").write_text("not an image")
    with pytest.raises(ImageReadError, match=r"notes\.txt: this is no image"):
        model(tmp_path / "notes.txt")
    breast = np.zeros((64, 48), np.uint8)
    for pixels, about in (
        (breast, {}),
        (breast.astype(float), {"laterality": "L", "view": "CC"}),
        (breast[None], {"laterality": "L"}),
    ):
        with pytest.raises(ValueError, match=r"Expected \(height, width\) as uint8 or uint16, 'L' or 'R'"):
            model(pixels, **about)  # type: ignore[arg-type]


def test_type_checkers_see_the_public_names() -> None:
    stub = ast.parse((Path(mammoseg.__file__).with_suffix(".pyi")).read_text())
    told = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == set(mammoseg.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mammoseg.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_a_calibrated_model_tells_of_a_breast(
    model: mammoseg.Model,
    trained_run: Path,
    phantom_study: Manifest,
    write_scored_study: Callable[..., Manifest],
    tmp_path: Path,
) -> None:
    """The same probability and decision as in predictions.csv."""
    manifest = write_scored_study(tmp_path, open_predictor(trained_run, "cpu").settings, patients=60)
    write_calibration(
        tmp_path / "c.json", calibrate(tmp_path / "predictions", manifest, at="threshold=0.4").calibration
    )
    calibrated = mammoseg.load(trained_run, "cpu", calibration=tmp_path / "c.json")
    rows = [row for row in phantom_study.subset("test").rows() if row.laterality == "L"][:2]
    [decision] = calibrated.breast([calibrated(row.path, pixel_mm=row.pixel_mm) for row in rows]).values()
    predictor = open_predictor(trained_run, "cpu", calibration=tmp_path / "c.json")
    predict_images(predictor, rows, tmp_path / "out")
    table = read_predictions_csv(tmp_path / "out")
    [breast] = table[table["level"] == "breast"].to_dict("records")
    assert decision.score == pytest.approx(breast["malignant"], abs=1e-6)
    assert decision.probability == pytest.approx(breast["calibrated_malignant"], abs=1e-6)
    assert decision.recalled is bool(breast["recalled_malignant"]) is (decision.score >= 0.4)
    assert calibrated.calibration == predictor.calibration
    with pytest.raises(ValueError, match="no result is given"):
        calibrated.breast([])
    assert model.calibration is None
    with pytest.raises(CalibrationError, match="has no calibration"):
        model.breast([])
