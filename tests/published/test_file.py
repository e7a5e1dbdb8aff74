"""Published weight files: renaming, and what does not fit is named."""

import pytest
import torch
from torch import Tensor

from mammoseg.nn.contract import NetworkConfig
from mammoseg.published.file import RESNET, SHORTCUTS, PublishedFile, TensorNames, fit


@pytest.fixture
def file() -> PublishedFile:
    return PublishedFile(
        title="a test",
        config=NetworkConfig(),
        renamings=((r"^trunk", "net"), (r"^head\.(\w)", lambda match: f"end_{match[1]}"), *RESNET, *SHORTCUTS),
        unused=("old.*", "net.spare"),
        licence="none",
    )


def tensors(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    return {name.replace("__", "."): torch.rand(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("ours", "published"),
    [
        ("trunk.conv1.weight", "net.conv1.weight"),
        ("head.V.weight", "end_V.weight"),
        ("trunk.groups.0.1.bn1.bias", "net.layer1.1.bn1.bias"),
        ("trunk.groups.3.0.shortcut.0.weight", "net.layer4.0.downsample.0.weight"),
        ("trunk.groups.1.0.shortcut.weight", "net.layer2.0.downsample.0.weight"),
        ("other.trunk.weight", "other.trunk.weight"),
    ],
)
def test_names(file: PublishedFile, ours: str, published: str) -> None:
    assert file.published_name(ours) == published


def test_a_file_that_fits(file: PublishedFile) -> None:
    ours = tensors(trunk__conv1=(2, 3), head__V=(4,))
    state = tensors(net__conv1=(2, 3), end_V=(4,))
    fits = fit(file, state, ours)
    assert fits.found == {"trunk.conv1": state["net.conv1"], "head.V": state["end_V"]}
    assert (fits.missing, fits.unexpected, fits.unused) == ((), (), ())


def test_what_does_not_fit(file: PublishedFile) -> None:
    ours = tensors(trunk__conv1=(2, 3), trunk__conv2=(5,), head__V=(4,))
    state = tensors(net__conv1=(3, 2), end_V=(4,), extra=(1,), old__a=(1,), old__b=(2,), net__spare=(1,))
    fits = fit(file, state, ours)
    assert list(fits.found) == ["head.V"]
    assert fits.missing == ("net.conv1 of shape (2, 3) (it is (3, 2))", "net.conv2")
    assert fits.unexpected == ("extra",)
    assert fits.unused == ("old.a", "old.b", "net.spare")


def test_a_tensor_that_is_used_is_not_unused() -> None:
    """A pattern may cover tensors that some networks use and others do not."""
    file = TensorNames(((r"^head", "mil"),), ("mil.*",))
    state = tensors(mil__V=(1,), mil__W=(1,))
    fits = fit(file, state, tensors(head__V=(1,)))
    assert list(fits.found) == ["head.V"]
    assert fits.unused == ("mil.W",)


def test_a_scalar_and_a_vector_of_one_are_not_the_same(file: PublishedFile) -> None:
    assert fit(file, tensors(n=(1,)), tensors(n=())).missing == ("n of shape () (it is (1,))",)


def test_nothing_follows_from_a_name_by_default(file: PublishedFile) -> None:
    assert file.settings is None
    assert file.must_set is None
    assert not file.prep
