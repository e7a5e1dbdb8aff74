"""Maps as an archive: the same bytes each time, only the maps that are expected, and no more memory than they take."""

import io
import zipfile

import numpy as np
import pytest

from mammoseg.io.npz import npz_bytes, read_npz

MAPS = {"saliency": np.linspace(0, 1, 24).reshape(2, 3, 4), "global": np.ones((2, 1, 1), np.float32)}
SHAPES = {"saliency": [2, 3, 4], "global": [2, 1, 1]}


def test_round_trip_in_half_precision() -> None:
    content = npz_bytes(MAPS)
    assert content == npz_bytes(MAPS)
    read = read_npz(content, SHAPES)
    for name, values in MAPS.items():
        np.testing.assert_array_equal(read[name], values.astype(np.float16))
    with np.load(io.BytesIO(content)) as by_numpy:
        assert set(by_numpy.files) == set(MAPS)


def test_archives_of_earlier_versions_are_read() -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **{name: values.astype(np.float16) for name, values in MAPS.items()})
    assert set(read_npz(content.getvalue(), SHAPES)) == set(MAPS)


@pytest.mark.parametrize(
    "shapes", [{"saliency": [2, 3, 4]}, {**SHAPES, "local": [1]}, {**SHAPES, "global": [2, 1, 2]}], ids=str
)
def test_other_names_or_shapes(shapes: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="other names or shapes than the record says"):
        read_npz(npz_bytes(MAPS), shapes)


def test_what_unpacks_to_more_than_the_maps_is_not_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("saliency.npy", bytes(10_000_000))
    assert len(content.getvalue()) < 20_000
    with pytest.raises(ValueError, match="it unpacks to 10000000 bytes, the maps of the record take at most 2100"):
        read_npz(content.getvalue(), SHAPES)
    with pytest.raises(ValueError, match="it unpacks to"):
        read_npz(npz_bytes({"saliency": np.zeros((1, 600, 1))}), {"saliency": [0]})
