"""What is written as DICOM is about the right pixels of the right image of the right patient."""

import csv
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from mammoseg import plugins
from mammoseg.data.predictions import Predictions
from mammoseg.dicom_results.codes import class_code, score_code, short
from mammoseg.io.runs import load_prediction
from mammoseg.io.scores_table import read_predictions_csv
from mammoseg.records.finding import Finding

KINDS = ("seg", "sr", "cad_sr", "sc", "gsps")
LEAST = 0.1
THRESHOLD = 0.5
OF_PATIENT = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "AccessionNumber",
)


@pytest.fixture(scope="module")
def written(dicom_exams: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind -> the folder with all objects of that kind."""
    found = {}
    for kind in KINDS:
        found[kind] = tmp_path_factory.mktemp(kind)
        plugin = plugins.load(plugins.EXPORTERS, f"dicom_{kind}")
        images = Predictions(dicom_exams / "predictions", None, found[kind])
        plugin.export(images, found[kind], plugin.Options())
        assert not images.failed
    return found


def all_objects(written: dict[str, Path]) -> list[tuple[str, Dataset]]:
    return [(kind, dcmread(path)) for kind, folder in written.items() for path in sorted(folder.rglob("*.dcm"))]


def sources(exams: Path) -> dict[str, tuple[str, Dataset]]:
    """SOP Instance UID -> image id and header."""
    headers = {path.stem: dcmread(path, stop_before_pixels=True) for path in (exams / "images").iterdir()}
    return {header.SOPInstanceUID: (image_id, header) for image_id, header in headers.items()}


def referenced(dataset: Dataset) -> set[str]:
    return {str(e.value) for e in dataset.iterall() if e.keyword == "ReferencedSOPInstanceUID"}


def expected(exams: Path, image_id: str) -> list[Finding]:
    return [f for f in load_prediction(exams / "predictions", image_id).findings if f.score >= LEAST]


def as_polygons(findings: list[Finding]) -> list[NDArray[np.float64]]:
    """(column, row), closed."""
    return [np.array([*f.polygon, f.polygon[0]])[:, ::-1] for f in findings]


def test_patient_and_study_are_those_of_the_image_and_the_rest_says_what_made_it(
    written: dict[str, Path], dicom_exams: Path
) -> None:
    known = sources(dicom_exams)
    for kind, made in all_objects(written):
        of = [header for uid, (_, header) in known.items() if uid in referenced(made)]
        assert of, kind
        for header in of:
            assert [str(made.get(name)) for name in OF_PATIENT] == [str(header.get(name)) for name in OF_PATIENT]
        assert "private" not in str(made)
        assert made.Manufacturer == "mammoseg"
        assert made.ManufacturerModelName == "mammoseg spots"
        assert "Research use only" in made.SeriesDescription
        assert str(made.SOPInstanceUID).startswith("2.25.")
        assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID
        assert made.SeriesInstanceUID not in {header.SeriesInstanceUID for header in of}


def test_an_exam_has_one_series_of_a_kind_and_no_object_is_there_twice(written: dict[str, Path]) -> None:
    objects = all_objects(written)
    series = {(kind, made.StudyInstanceUID, made.SeriesInstanceUID) for kind, made in objects}
    assert len(series) == len({(kind, study) for kind, study, _ in series}) == len({uid for _, _, uid in series})
    assert len({made.SOPInstanceUID for _, made in objects}) == len(objects)


def test_another_threshold_is_another_object(dicom_exams: Path, written: dict[str, Path], tmp_path: Path) -> None:
    plugin = plugins.load(plugins.EXPORTERS, "dicom_seg")
    plugin.export(Predictions(dicom_exams / "predictions", None, tmp_path), tmp_path, plugin.Options(threshold=0.3))
    before = {dcmread(path).SOPInstanceUID for path in written["seg"].rglob("*.dcm")}
    assert before.isdisjoint(dcmread(path).SOPInstanceUID for path in tmp_path.rglob("*.dcm"))


def test_segments_are_the_maps_on_the_pixels_of_the_image(written: dict[str, Path], dicom_exams: Path) -> None:
    known = sources(dicom_exams)
    for path in written["seg"].rglob("*.dcm"):
        seg = hd.seg.segread(path)
        [source] = referenced(seg) & known.keys()
        prediction = load_prediction(dicom_exams / "predictions", known[source][0])
        maps = prediction.grid.restore(prediction.maps["saliency"])
        assert [s.SegmentLabel.partition(",")[0] for s in seg.SegmentSequence] == ["benign", "malignant"]
        pixels = seg.get_pixels_by_source_instance([source], combine_segments=False, rescale_fractional=True)
        found = np.moveaxis(pixels[0], -1, 0)
        if seg.SegmentationType == "BINARY":
            assert np.array_equal(found, maps >= THRESHOLD)
        else:
            assert np.abs(found - maps).max() <= 0.5 / 255 + 1e-6


def test_outlines_of_the_report(written: dict[str, Path], dicom_exams: Path) -> None:
    known = sources(dicom_exams)
    seen = set()
    for path in written["sr"].rglob("*.dcm"):
        report = hd.sr.srread(path)
        regions: dict[str, list[tuple[NDArray[np.float64], float]]] = {}
        for group in report.content.get_planar_roi_measurement_groups():
            uid = group.roi.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
            regions.setdefault(uid, []).append((group.roi.value, float(group.get_measurements()[0].value)))
        for uid in referenced(report) & known.keys():
            findings = expected(dicom_exams, known[uid][0])
            assert len(regions.get(uid, [])) == len(findings)
            for (polygon, score), finding, wanted in zip(
                regions.get(uid, []), findings, as_polygons(findings), strict=True
            ):
                assert np.allclose(polygon, wanted, atol=1e-3)
                assert score == pytest.approx(finding.score, abs=1e-6)
            seen.add(uid)
    assert seen == known.keys()


def test_scores_of_the_report_are_those_of_images_and_breasts(written: dict[str, Path], dicom_exams: Path) -> None:
    known = sources(dicom_exams)
    table = read_predictions_csv(dicom_exams / "predictions")
    breasts = table[table["level"] == "breast"].set_index(["exam_id", "laterality"])
    for path in written["sr"].rglob("*.dcm"):
        groups = hd.sr.srread(path).content.get_image_measurement_groups()
        images = [group for group in groups if group.source_images]
        for group in images:
            uid = group.source_images[0].referenced_sop_instance_uid
            scores = [float(m.value) for m in group.get_measurements()]
            wanted = load_prediction(dicom_exams / "predictions", known[uid][0]).scores
            assert scores == pytest.approx(list(wanted.values()))
        exam = load_prediction(dicom_exams / "predictions", known[uid][0]).exam_id
        sides = [group.finding_sites[0].value.meaning[0] for group in groups if not group.source_images]
        assert (
            sides == sorted({known[uid][0].split("_")[1][0] for uid in known if f"{exam[1:]}_" in known[uid][0]})[::-1]
        )
        for side, group in zip(sides, [group for group in groups if not group.source_images], strict=True):
            scores = [float(m.value) for m in group.get_measurements()]
            assert scores == pytest.approx(breasts.loc[(exam, side), ["benign", "malignant"]].tolist())


def test_marks_of_the_cad_report(written: dict[str, Path], dicom_exams: Path) -> None:
    known = sources(dicom_exams)
    for path in written["cad_sr"].rglob("*.dcm"):
        made = dcmread(path)
        assert made.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.88.50"
        _, library, summary, _, _ = made.ContentSequence
        images = [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in library.ContentSequence]
        marks: dict[str, list[NDArray[np.float64]]] = {uid: [] for uid in images}
        for impression in summary.get("ContentSequence", []):
            coordinates = [
                item for item in impression.ContentSequence[1].ContentSequence if item.get("ValueType") == "SCOORD"
            ]
            centre, outline = coordinates
            [place] = {tuple(item.ContentSequence[0].ReferencedContentItemIdentifier) for item in coordinates}
            assert place[:2] == (1, 2)  # an image of the library
            marks[images[place[2] - 1]].append(np.reshape(outline.GraphicData, (-1, 2)))
            assert len(centre.GraphicData) == 2
        for uid, polygons in marks.items():
            wanted = as_polygons(expected(dicom_exams, known[uid][0]))
            assert len(polygons) == len(wanted)
            assert all(np.allclose(a, b, atol=1e-3) for a, b in zip(polygons, wanted, strict=True))
        found = any(marks.values())
        assert summary.ConceptCodeSequence[0].CodeValue == ("111242" if found else "111241")


def test_outlines_of_the_presentation_states(written: dict[str, Path], dicom_exams: Path) -> None:
    known = sources(dicom_exams)
    for path in written["gsps"].rglob("*.dcm"):
        made = dcmread(path)
        [uid] = referenced(made) & known.keys()
        header = known[uid][1]
        graphics = [
            np.reshape(item.GraphicData, (-1, 2))
            for annotation in made.GraphicAnnotationSequence
            for item in annotation.get("GraphicObjectSequence", [])
        ]
        wanted = as_polygons(expected(dicom_exams, known[uid][0]))
        assert len(graphics) == len(wanted)
        assert all(np.allclose(a, b, atol=1e-3) for a, b in zip(graphics, wanted, strict=True))
        texts = [
            t.UnformattedTextValue for a in made.GraphicAnnotationSequence for t in a.get("TextObjectSequence", [])
        ]
        assert sum("Research use only" in text for text in texts) == 1
        inverse = header.PhotometricInterpretation == "MONOCHROME1"
        assert made.PresentationLUTShape == ("INVERSE" if inverse else "IDENTITY")


def test_the_capture_is_a_picture_that_says_what_it_is(written: dict[str, Path]) -> None:
    for path in written["sc"].rglob("*.dcm"):
        made = dcmread(path)
        band = made.pixel_array[:30]
        assert made.PhotometricInterpretation == "RGB"
        assert (band.max(axis=-1) > 200).any(axis=0).sum() > 50  # letters
        assert made.BurnedInAnnotation == "YES"


SPOILED: dict[str, Callable[[Dataset], object]] = {
    "no modality": lambda header: header.pop("Modality"),
    "a date that is none": lambda header: header.add_new("PatientBirthDate", "DA", "02.01.1960"),
    "a time that is none": lambda header: header.add_new("StudyTime", "TM", "10:11"),
    "a sex that is none": lambda header: header.add_new("PatientSex", "CS", "W"),
    "one spacing": lambda header: setattr(header, "ImagerPixelSpacing", 0.5),
    "an empty window": lambda header: setattr(header, "WindowWidth", None),
    "two centers": lambda header: setattr(header, "WindowCenter", [1, 2]),
    "an intercept alone": lambda header: setattr(header, "RescaleIntercept", 5),
    "two names": lambda header: header.add_new("PatientName", "PN", ["Secret^One", "Secret^Two"]),
    "no type 2 elements": lambda header: [
        header.pop(name)
        for name in (
            "PatientName",
            "PatientBirthDate",
            "StudyDate",
            "StudyTime",
            "AccessionNumber",
            "PatientOrientation",
        )
    ],
}


@pytest.mark.parametrize("what", SPOILED)
def test_odd_headers_cost_at_most_their_exam_and_are_not_told(
    what: str, command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    from dicom_exams import finish, write_exam

    write_exam(tmp_path, 0, "missing views", change=SPOILED[what])
    write_exam(tmp_path, 1, "missing views")
    finish(tmp_path)
    for kind in KINDS:
        out = tmp_path / kind
        done = command(
            "export", f"dicom-{kind.replace('_', '-')}", "--predictions", tmp_path / "predictions", "--out", out
        )
        lost = what == "two names"
        assert done.code == (3 if lost else 0), done.err
        assert bool(list((out / "E0").glob("*.dcm"))) != lost
        assert list((out / "E1").glob("*.dcm"))
        told = done.out + done.err + "".join(path.read_text() for path in out.glob("errors.csv"))
        assert not any(secret in told for secret in ("02.01.1960", "10:11", "Secret", "'W'"))


def test_classes_with_long_names_have_codes_of_their_own() -> None:
    names = ("malignant_mass", "malignant_calcification", "benign", "malignant")
    for code in (class_code, score_code):
        assert len({code(name).value for name in names}) == len(names)
        assert all(len(code(name).value) <= 16 for name in names)
    assert len({short("x" * 100 + end) for end in "ab"}) == 2
    assert len(short("x" * 100)) == 64


def test_with_pseudonyms_the_objects_are_about_the_files_that_the_manifest_finds(
    dicom_exams: Path, tiny_gmic: Callable[..., Path], command: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "salt").write_text("a long enough salt of this test alone")
    images = tmp_path / "images"
    shutil.copytree(dicom_exams / "images", images, ignore=shutil.ignore_patterns("exam[1-9]*"))
    assert command("scan", images, "--out", tmp_path / "m.csv", "--no-pixels").code == 0
    hashed = ("--manifest", tmp_path / "m.csv", "--hash-ids", tmp_path / "salt")
    predicted = tmp_path / "p"
    command("predict", "--checkpoint", tiny_gmic(1), *hashed, "--out", predicted, "--no-overlays")
    done = command("export", "dicom-sr", "--predictions", predicted, *hashed, "--out", tmp_path / "sr")
    assert done.code == 0, done.err
    [path] = (tmp_path / "sr").rglob("*.dcm")
    assert dcmread(path).PatientID == "P0"
    refused = command("export", "dicom-sr", "--predictions", predicted, "--out", tmp_path / "none")
    assert refused.code == 1
    refused.says("--manifest")


def test_a_picture_without_a_pixel_size_or_a_wish_is_refused_in_words(
    phantom_study: Any, tiny_gmic: Callable[..., Path], command: Callable[..., Any], tmp_path: Path
) -> None:
    command(
        "predict",
        "--checkpoint",
        tiny_gmic(1),
        "--manifest",
        phantom_study.path,
        "--split",
        "val",
        "--out",
        tmp_path / "p",
    )
    done = command("export", "dicom-seg", "--predictions", tmp_path / "p", "--out", tmp_path / "out")
    assert done.code == 1
    done.says("no DICOM image", "--make-source")
    assert not list((tmp_path / "out").rglob("*.dcm"))
    made = command("export", "dicom-sr", "--predictions", tmp_path / "p", "--out", tmp_path / "out", "--make-source")
    assert made.code == 0
    pictures = list((tmp_path / "out").rglob("source/*.dcm"))
    assert len(pictures) == 8
    again = command("scan", tmp_path / "out", "--out", tmp_path / "found.csv", "--no-pixels")
    assert again.code == 0, again.err
    rows = list(csv.DictReader((tmp_path / "found.csv").open()))
    assert {(row["laterality"], row["view"]) for row in rows} == {(s, v) for s in "LR" for v in ("CC", "MLO")}


def test_a_source_of_another_patient_is_not_taken(
    dicom_exams: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    mine = Path(shutil.copytree(dicom_exams, tmp_path / "mine"))
    manifest = tmp_path / "moved.csv"
    files = sorted((mine / "images").iterdir())
    rows = ["patient_id,exam_id,image_id,laterality,view,path"]
    for path, other in zip(files, [files[1], files[0], *files[2:]], strict=True):
        number = path.stem[len("exam") : path.stem.index("_")]
        side, view = path.stem[path.stem.index("_") + 1 :].split("-")
        rows.append(f"P{number},E{number},{path.stem},{side},{view},{other}")
    manifest.write_text("\n".join(rows) + "\n")
    done = command(
        *(
            "export",
            "dicom-gsps",
            "--predictions",
            mine / "predictions",
            "--manifest",
            manifest,
            "--out",
            tmp_path / "out",
        )
    )
    assert done.code == 3
    done.says("has changed since it was predicted")
    failed = [row["image_id"] for row in csv.DictReader((tmp_path / "out" / "errors.csv").open())]
    assert failed == [files[0].stem, files[1].stem]


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools are not installed")
def test_dciodvfy_finds_no_error(written: dict[str, Path]) -> None:
    for folder in written.values():
        for path in folder.rglob("*.dcm"):
            told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
            assert "Error" not in told, f"{path.name}: {told}"


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dcmtk is not installed")
def test_dsrdump_reads_the_reports(written: dict[str, Path]) -> None:
    for kind in ("sr", "cad_sr"):
        for path in written[kind].rglob("*.dcm"):
            told = subprocess.run(["dsrdump", path], capture_output=True, text=True, check=False)
            assert told.returncode == 0, told.stderr
            assert "illegal" not in told.stderr
            assert told.stdout.count("CONTAINER") >= 3
