"""The published weights of DMV-CNN: view-wise, and image-wise for transfer learning, each with and without heatmaps.

A file holds both backbones three times, under the names of the projection and of its two views (`four_view_resnet.cc`, `l_cc`,
`r_cc`): these copies have to be equal, and one is taken. Of the outputs of the image-wise heads the first half is used, as by the
authors' software.

Source   Names and shapes of the tensors in the published files.
"""

from mammoseg.models.dmvcnn.config import WINDOWS, DmvCnnConfig
from mammoseg.published.file import SHORTCUTS, PublishedFile

_LICENCE = (
    "These are the weights of DMV-CNN (Wu et al. 2019, arXiv:1903.08297), given by the NYU authors with their own software "
    "under AGPL-3.0. mammoseg neither contains nor passes them on; their terms apply to your use of them. "
    "For research only, not for diagnosis."
)
_RENAMINGS = (
    (r"^trunks\.(cc|mlo)\.stem", r"four_view_resnet.\1.first_conv"),
    (r"^trunks\.(cc|mlo)\.groups", r"four_view_resnet.\1.layer_list"),
    (r"^trunks\.(cc|mlo)", r"four_view_resnet.\1"),
    (r"^heads\.(\w+)\.hidden", r"fc1_\1"),
    (r"^heads\.(\w+)\.output", r"output_layer_\1.fc_layer"),
    *SHORTCUTS,
)


def _file(config: DmvCnnConfig) -> PublishedFile:
    kind = config.fusion.replace("_", "-") + (" with heatmaps" if config.heatmaps else "")
    return PublishedFile(
        title=f"DMV-CNN ({kind})",
        config=config,
        renamings=_RENAMINGS,
        unused=(),
        licence=_LICENCE,
        prep={"windows": WINDOWS},
        copies=((r"^four_view_resnet\.[lr]_(cc|mlo)\.", r"four_view_resnet.\1."),),
        first_rows=("output_layer_*",) if config.fusion == "image_wise" else (),
    )


PUBLISHED = tuple(
    _file(DmvCnnConfig(fusion=fusion, heatmaps=heatmaps))
    for fusion in ("view_wise", "image_wise")
    for heatmaps in (False, True)
)
