"""The published weights of GLAM: `model_joint`, trained with the fusion, and `model_sep`, trained without.

Both predict as the published software does: the mean of the three scales of the global module. The attention and the fusion
in the joint file are taken over if both fit, and else left out; how the authors turn a patch into the vector they see is not
public, so `local` and `fusion` of a joint model are our reading and not checked against theirs.

Source   Names and shapes of the tensors in the published files.
"""

from mammoseg.models.glam.config import GlamConfig, LocalConfig
from mammoseg.published.file import RESNET, SHORTCUTS, PublishedFile

_LICENCE = (
    "These are the weights of GLAM (Liu et al., MIDL 2021), given by NYU for research only, under a licence that forbids "
    "passing them on and modifying them. mammoseg does not contain them; their terms apply to your use of them. For "
    "research only, not for diagnosis."
)
_RENAMINGS = (
    (r"^global_module\.trunk\.stem", "global_network.downsampling_branch.first_conv"),
    (r"^global_module\.trunk\.groups", "global_network.downsampling_branch.layer_list"),
    (r"^global_module\.trunk", "global_network.downsampling_branch"),
    (r"^global_module\.heads\.0", "global_network.postprocess_module.gn_conv_1"),
    (r"^global_module\.heads\.1", "global_network.postprocess_module.gn_conv_2"),
    (r"^global_module\.heads\.2", "global_network.postprocess_module.gn_conv_last"),
    (r"^local_module\.trunk", "detection_network.dn_resnet"),
    (r"^local_module\.head", "detection_network.gn_conv_last"),
    (r"^local_module\.attention\.", "mil.mil_attn_"),
    (r"^fusion\.linear", "fusion_dnn"),
    *RESNET,
    *SHORTCUTS,
)
_SEPARATE = GlamConfig(local_module=LocalConfig(aggregation="concatenation"), prediction="global", fusion=False)
_COMBINE = "global_network.postprocess_module.combine.weight"
_ONLY_JOINT = ("shared_rep_filter.weight", "mil.*", "fusion_dnn.*")

PUBLISHED = (
    PublishedFile(
        title="GLAM (model_joint)",
        config=GlamConfig(local_module=LocalConfig(aggregation="attention"), prediction="global"),
        renamings=_RENAMINGS,
        unused=(_COMBINE, *_ONLY_JOINT),
        licence=_LICENCE,
    ),
    PublishedFile(
        title="GLAM (model_sep)",
        config=_SEPARATE,
        renamings=_RENAMINGS,
        unused=(_COMBINE,),
        licence=_LICENCE,
    ),
    PublishedFile(  # after model_sep, whose files fit here as well
        title="GLAM (model_joint without its attention and fusion, which do not fit)",
        config=_SEPARATE,
        renamings=_RENAMINGS,
        unused=(_COMBINE, *_ONLY_JOINT),
        licence=_LICENCE,
    ),
)
