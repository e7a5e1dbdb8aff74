"""The published weights of GMIC: five models for NYU's screening mammograms, and the layout of the CBIS-DDSM ones.

Source   Names and shapes of the tensors in the published files; the models' t and beta from a public answer of the authors.
"""

import re
from collections.abc import Sequence

from mammoseg.models.gmic.config import GlobalConfig, GmicConfig
from mammoseg.published.file import RESNET, SHORTCUTS, PublishedFile

TOP_T = {"1": 0.02, "2": 0.03, "3": 0.03, "4": 0.05, "5": 0.1}
"""Number of the published model -> its t, which no file holds. Only y_global depends on it."""

_LICENCE = (
    "These are the weights of GMIC (Shen et al., Medical Image Analysis 2021), given by the NYU authors with their own "
    "software under AGPL-3.0. mammoseg neither contains nor passes them on; their terms apply to your use of them. "
    "For research only, not for diagnosis."
)
_PARTS = (
    (r"^global_module\.head", "left_postprocess_net.gn_conv_last"),
    (r"^local_module\.trunk", "dn_resnet"),
    (r"^local_module\.attention\.", "mil_attn_"),
    (r"^local_module\.classifier", "classifier_linear"),
    (r"^fusion\.linear", "fusion_dnn"),
)
_RESNET22 = (
    (r"^global_module\.trunk\.stem", "ds_net.first_conv"),
    (r"^global_module\.trunk\.groups", "ds_net.layer_list"),
    (r"^global_module\.trunk", "ds_net"),
)

CBIS = GmicConfig(
    global_module=GlobalConfig(trunk="resnet", blocks=(2, 2, 2, 2), widths=(64, 128, 256, 512), strides=(1, 2, 2, 2)),
    classes=("malignant",),
)
"""The network for CBIS-DDSM: ResNet-18 as global network, maps of 92 x 60 cells, one class."""


def _settings(stem: str) -> Sequence[str]:
    """`sample_model_3` -> the t of model 3."""
    number = re.search(r"model_([1-5])$", stem)
    return (f"global_module.top_t={TOP_T[number[1]]}",) if number else ()


PUBLISHED = (
    PublishedFile(
        title="GMIC (NYU)",
        config=GmicConfig(),
        renamings=(*_RESNET22, *_PARTS, *RESNET, *SHORTCUTS),
        unused=("shared_rep_filter.weight",),
        licence=_LICENCE,
        settings=_settings,
        must_set="global_module.top_t",
    ),
    PublishedFile(
        title="GMIC (CBIS-DDSM)",
        config=CBIS,
        renamings=((r"^global_module\.trunk", "ds_net"), *_PARTS, *RESNET, *SHORTCUTS),
        unused=("shared_rep_filter.weight",),
        licence=_LICENCE,
        prep={"fit": "resize", "intensity": "unit"},
        must_set="global_module.top_t",
    ),
)
