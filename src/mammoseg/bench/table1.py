"""The networks of GMIC's Table 1 as they are here, to be counted and timed beside what it prints. Differences are explained in
docs/reference/other_models.md.
"""

from collections.abc import Mapping

from mammoseg.papers import printed

SYSTEMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ResNet-34": ("resnet_cam", ()),
    "ResNet-34-1x1 conv": ("resnet_1x1", ()),
    "DMV-CNN (w/o heatmaps)": ("dmvcnn", ()),
    "DMV-CNN (w/ heatmaps)": ("dmvcnn", ("heatmaps=true",)),
    "Faster R-CNN": ("faster_rcnn", ()),
    "GMIC-ResNet-18": ("gmic", ()),
    "GMIC-ResNet-34": ("gmic", ("local_module.blocks=[3,4,6,3]",)),
    "GMIC-ResNet-50": ("gmic", ("local_module.blocks=[3,4,6,3]", "local_module.bottleneck=true")),
}
"""Row of the table -> model and settings of its network."""


def paper_of(row: str) -> dict[str, float]:
    """What the table prints: parameters (million), macs (10^9, of an exam), memory (GB, in training), forward, backward (ms)."""
    return printed(f"gmic_table1/{row}")
