"""Crops as files: the same after reading, small, and never believed when damaged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mammoseg.data.cropfile import CropFileError, read_crop, write_crop
from mammoseg.prep.breast import BreastCrop


def crop(dtype: str = "<u2", heatmaps: bool = False) -> BreastCrop:
    """Tissue of 12 bits with a little noise, 90 x 70 pixels."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:90, :70]
    pixels = (1500 + 10 * y + 8 * x + rng.integers(0, 16, y.shape)).astype(dtype)
    return BreastCrop(
        pixels=pixels,
        image_id="ä",
        view="MLO",
        original_shape=(200, 100),
        working_shape=(100, 50),
        flipped=True,
        window=(1, 91, 0, 70),
        rightmost_points=((3, 4), 69),
        bottommost_points=(89, (5, 6)),
        distance_from_starting_side=2,
        best_center=(45, -3),
        notes=("one", "two"),
        heatmaps=rng.integers(0, 65536, (2, 90, 70), np.uint16) if heatmaps else None,
    )


def content(of: BreastCrop) -> tuple[object, ...]:
    """All of it, to be compared."""
    arrays = [(a.dtype, a.shape, a.tobytes()) for a in (of.pixels, of.heatmaps) if a is not None]
    return *arrays, repr(replace(of, pixels=np.zeros(0), heatmaps=None))


@pytest.mark.parametrize("heatmaps", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<i4", "<f4", "<f8"])
def test_read_as_written(tmp_path: Path, dtype: str, heatmaps: bool) -> None:
    given = crop(dtype, heatmaps)
    write_crop(tmp_path / "new" / "a.npz", given)
    read = read_crop(tmp_path / "new" / "a.npz", heatmaps)
    assert content(read) == content(given)
    read.pixels[:] = 0  # belongs to the caller
    assert content(read_crop(tmp_path / "new" / "a.npz", heatmaps)) == content(given)


def test_parts_of_an_array(tmp_path: Path) -> None:
    given = crop()
    mirrored = replace(given, pixels=given.pixels[::-1, ::-2])
    write_crop(tmp_path / "a.npz", mirrored)
    assert np.array_equal(read_crop(tmp_path / "a.npz", heatmaps=False).pixels, mirrored.pixels)


def test_heatmaps_are_read_where_wanted(tmp_path: Path) -> None:
    write_crop(tmp_path / "rich.npz", crop(heatmaps=True))
    assert content(read_crop(tmp_path / "rich.npz", heatmaps=False)) == content(crop())
    write_crop(tmp_path / "plain.npz", crop())
    with pytest.raises(CropFileError, match="KeyError"):
        read_crop(tmp_path / "plain.npz", heatmaps=True)


def test_a_large_crop_takes_little_room(tmp_path: Path) -> None:
    large = replace(crop(), pixels=np.kron(crop().pixels, np.ones((8, 8), np.uint16)))
    large.pixels[...] += np.random.default_rng(1).integers(0, 256, large.pixels.shape, np.uint16)
    write_crop(tmp_path / "a.npz", large)
    assert (tmp_path / "a.npz").stat().st_size < 0.65 * large.pixels.nbytes


def test_no_damage_is_believed(tmp_path: Path) -> None:
    """A flipped bit or a missing end is noticed, or hits what does not matter (dates in the archive)."""
    file = tmp_path / "a.npz"
    write_crop(file, crop(heatmaps=True))
    good, expected, noticed = file.read_bytes(), content(crop(heatmaps=True)), 0
    places = np.random.default_rng(0).integers(0, len(good), 150).tolist()
    for damaged in [
        *(good[:place] + bytes([good[place] ^ 16]) + good[place + 1 :] for place in places),
        *(good[:place] for place in places[:20]),
        good + good[: len(good) // 2],
        good[: len(good) // 2] + bytes(len(good) // 2),
    ]:
        file.write_bytes(damaged)
        try:
            assert content(read_crop(file, heatmaps=True)) == expected
        except CropFileError:
            noticed += 1
    assert noticed > 150


def test_what_is_no_crop(tmp_path: Path) -> None:
    with pytest.raises(CropFileError, match=r"none.npz: no whole breast crop \(FileNotFoundError.*Delete it"):
        read_crop(tmp_path / "none.npz", heatmaps=False)
    np.savez(tmp_path / "other.npz", about=np.array('{"crop": {}, "arrays": {"pixels": ["u1", [2, 2]]}}'))
    with pytest.raises(CropFileError, match="KeyError"):
        read_crop(tmp_path / "other.npz", heatmaps=False)


def test_a_small_file_does_not_unpack_to_gigabytes(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    write_crop(file, crop())
    with np.load(file) as stored:
        members = {name: stored[name] for name in stored.files}
    np.savez_compressed(file, **members)
    with pytest.raises(CropFileError, match="a compressed archive"):
        read_crop(file, heatmaps=False)
    for shape, message in (("[100000, 100000]", "pixels of 10000000000 values"), ("[-1, 4]", "pixels of -4 values")):
        about = np.array(str(members["about"]).replace("[90, 70]", shape))
        np.savez(file, **members | {"about": about})
        with pytest.raises(CropFileError, match=message):
            read_crop(file, heatmaps=False)
    np.savez(file, **members | {"about": np.array("[" * 100_000)})
    with pytest.raises(CropFileError, match="nested too deeply"):
        read_crop(file, heatmaps=False)
