"""Segmentations that highdicom writes are the masks that went in, to the pixel."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

hd: Any = pytest.importorskip("highdicom")

TYPES = {"malignant": ("86049000", "SCT", "Malignant neoplasm, primary"), "mass": ("4147007", "SCT", "Mass")}


@pytest.fixture
def write_seg(study: Any) -> Callable[..., Path]:
    """`write_seg(name, {label: mask or share}, image="left")`."""

    def write(
        name: str, segments: dict[str, NDArray[Any]], image: str = "left", kind: str = "BINARY", **more: Any
    ) -> Path:
        described = [
            hd.seg.SegmentDescription(
                segment_number=number,
                segment_label=label,
                segmented_property_category=hd.sr.CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure"),
                segmented_property_type=hd.sr.CodedConcept(*TYPES.get(label, TYPES["mass"])),
                algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
            for number, label in enumerate(segments, start=1)
        ]
        stack = np.stack([*segments.values()], axis=-1)[None]
        seg = hd.seg.Segmentation(
            source_images=[pydicom.dcmread(study.image(image))],
            pixel_array=stack if stack.dtype != bool else stack.astype(np.uint8),
            segmentation_type=kind,
            segment_descriptions=described,
            series_instance_uid=hd.UID(),
            series_number=100,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer="Maker",
            manufacturer_model_name="Model",
            software_versions="1",
            device_serial_number="1",
            **more,
        )
        path = study.folder / "seg" / name
        path.parent.mkdir(exist_ok=True)
        seg.save_as(path)
        return path

    return write


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_the_mask_comes_back_to_the_pixel(
    kind: str, write_seg: Callable[..., Path], bring: Any, mask_of: Any, lesion: NDArray[np.bool_]
) -> None:
    other = np.roll(lesion[:, ::-1], 30, axis=0) & ~lesion
    path = write_seg("a", {"Malignant mass": lesion, "2: benign": other}, kind=kind)
    done = bring("dicom_seg", path)
    assert not done.problems
    assert np.array_equal(mask_of(done, "left", "malignant"), lesion)
    assert np.array_equal(mask_of(done, "left", "benign"), other)
    assert mask_of(done, "right", "malignant") is None
    assert list(done.manifest.table["density"]) == ["dense", "dense"]


@pytest.mark.parametrize(("threshold", "least"), [(0.5, 128), (0.8, 204)])
def test_a_fractional_segmentation_is_cut_at_the_threshold(
    threshold: float, least: int, write_seg: Callable[..., Path], bring: Any, mask_of: Any
) -> None:
    stored = np.add.outer(np.arange(160), np.arange(128)) % 256
    path = write_seg("a", {"malignant": stored / 255}, kind="FRACTIONAL", max_fractional_value=255)
    done = bring("dicom_seg", path, sets=(f"threshold={threshold}",))
    assert np.array_equal(mask_of(done, "left", "malignant"), stored >= least)


def test_run_lengths(write_seg: Callable[..., Path], bring: Any, mask_of: Any, lesion: NDArray[np.bool_]) -> None:
    share = lesion.astype(float)
    path = write_seg("a", {"benign": share}, kind="FRACTIONAL", transfer_syntax_uid=pydicom.uid.RLELossless)
    assert np.array_equal(mask_of(bring("dicom_seg", path), "left", "benign"), lesion)


def test_segments_of_several_files_on_several_images(
    write_seg: Callable[..., Path], bring: Any, mask_of: Any, study: Any, lesion: NDArray[np.bool_]
) -> None:
    """In a folder with the images themselves; two of the same image and class are united."""
    write_seg("a", {"malignant": lesion})
    write_seg("b", {"malignant": lesion[::-1]})
    write_seg("c", {"malignant": lesion[:, ::-1]}, image="right")
    done = bring("dicom_seg", study.folder)
    assert not done.problems
    assert (done.files, len(done.findings)) == (3, 3)
    assert np.array_equal(mask_of(done, "left", "malignant"), lesion | lesion[::-1])
    assert np.array_equal(mask_of(done, "right", "malignant"), lesion[:, ::-1])


@pytest.mark.parametrize(
    ("label", "rules", "expected"),
    [
        ("malignant", (), "malignant"),
        ("MASS 1", ("mass 1=malignant",), "malignant"),
        ("MASS 1", ("4147007=benign",), "benign"),  # the code of its type
        ("MASS 1", ("Mass=benign", "MASS 1=malignant"), "malignant"),  # the label before the type
        ("MASS 1", ("*=benign",), "benign"),
        ("benign", ("benign=mass",), "mass"),
    ],
)
def test_what_tells_the_class(
    label: str,
    rules: Sequence[str],
    expected: str,
    write_seg: Callable[..., Path],
    bring: Any,
    lesion: NDArray[np.bool_],
) -> None:
    done = bring("dicom_seg", write_seg("a", {label: lesion}), rules=tuple(rules))
    assert dict(done.images) == {expected: 1}


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_a_segment_without_pixels_is_none(
    kind: str, write_seg: Callable[..., Path], bring: Any, lesion: NDArray[np.bool_]
) -> None:
    path = write_seg("a", {"malignant": lesion, "benign": ~lesion & False}, kind=kind, omit_empty_frames=False)
    done = bring("dicom_seg", path, labels=True)
    assert (done.problems, dict(done.images), len(done.findings)) == ([], {"malignant": 1}, 1)
    assert done.manifest.table["benign"].isna().all()


def test_labels_of_no_class_are_all_named(write_seg: Callable[..., Path], bring: Any, study: Any) -> None:
    mask = np.ones((160, 128), bool)
    write_seg("a", {"Nipple": mask, "not malignant": mask, "<script>": mask})
    with pytest.raises(ValueError, match=r"Nipple(.|\n)*not malignant(.|\n)*--class") as error:
        bring("dicom_seg", study.folder / "seg")
    assert "<script>" in str(error.value)
    assert not (study.folder / "masks").exists()


def test_a_label_of_no_class_on_purpose(write_seg: Callable[..., Path], bring: Any, lesion: NDArray[np.bool_]) -> None:
    done = bring("dicom_seg", write_seg("a", {"Nipple": lesion, "malignant": lesion}), rules=("nipple=",))
    assert (dict(done.images), done.problems) == ({"malignant": 1}, [])


def change(path: Path, **elements: Any) -> Path:
    dataset = pydicom.dcmread(path)
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    return path


def test_one_broken_file_costs_itself_only(
    write_seg: Callable[..., Path], bring: Any, study: Any, mask_of: Any, lesion: NDArray[np.bool_]
) -> None:
    write_seg("good", {"malignant": lesion})
    cut = write_seg("cut", {"malignant": lesion})
    cut.write_bytes(cut.read_bytes()[:-1000])
    change(write_seg("large", {"malignant": lesion}), Rows=65535, Columns=65535)
    change(write_seg("frames", {"malignant": lesion}), SegmentSequence=[])
    stranger = write_seg("stranger", {"malignant": lesion})
    uid = str(pydicom.dcmread(study.image("left")).SOPInstanceUID).encode()
    stranger.write_bytes(stranger.read_bytes().replace(uid, uid[::-1]))
    done = bring("dicom_seg", study.folder / "seg")
    told = {problem.source.name: problem.message for problem in done.problems}
    assert set(told) == {"cut", "large", "frames", "stranger"}
    assert "65535 rows" in told["large"]
    assert "no image of the manifest" in told["stranger"]
    assert np.array_equal(mask_of(done, "left", "malignant"), lesion)


@pytest.mark.parametrize("found", [b"1.2.840.10008.5.1.4.1.1.66.4", b"1.2.3.0", b"malignant"])
def test_a_damaged_file_says_nothing_of_what_is_in_it(
    found: bytes,
    write_seg: Callable[..., Path],
    bring: Any,
    lesion: NDArray[np.bool_],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """pydicom quotes what it finds odd, with whatever comes next: the name of the patient, for example."""
    path = write_seg("a", {"malignant": lesion})
    path.write_bytes(path.read_bytes().replace(found, b"\x80" * len(found)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = bring("dicom_seg", path, rules=("*=benign",))
    assert "Nobody" not in str(done.problems) + "".join(capfd.readouterr())


def test_an_image_is_no_segmentation(bring: Any, study: Any) -> None:
    done = bring("dicom_seg", study.image("left"))
    assert "another kind" in done.problems[0].message
    with pytest.raises(ValueError, match="no file of this format"):
        bring("dicom_seg", study.folder)
