"""Which cells show the breast."""

import torch

from mammoseg.nn.tissue import breast_cells


def test_cells_of_which_half_is_tissue_are_breast() -> None:
    image = torch.full((1, 1, 8, 8), -1.5)  # the background of a normalised window is not 0
    image[..., :4, :4] = torch.linspace(0, 1, 16).view(4, 4)
    image[..., 4:6, :4] = 0.2  # half of a cell
    image[..., :3, 4:5] = 0.2  # less than half
    assert breast_cells(image, (2, 2)).tolist() == [[[[True, False], [True, False]]]]


def test_each_window_has_its_own_background() -> None:
    image = torch.zeros(2, 2, 4, 4)
    image[0, 0, :2] = 1
    image[1, 0] = 5
    image[1, 0, :2] = 7
    image[:, 1] = torch.rand(4, 4)  # further channels do not count
    assert torch.equal(breast_cells(image, (2, 2))[0], breast_cells(image, (2, 2))[1])


def test_a_window_without_a_breast_counts_whole() -> None:
    assert breast_cells(torch.full((1, 1, 4, 4), 0.3), (2, 2)).all()
