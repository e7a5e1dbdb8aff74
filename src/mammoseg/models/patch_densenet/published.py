"""The published weights of the patch classifier: names are torchvision's, as ours are.

Source   Names and shapes of the tensors in the published file (`sample_patch_model.p`), a bare state dict without counts of
         batches.
"""

from mammoseg.models.patch_densenet.config import PatchDenseNetConfig
from mammoseg.published.file import PublishedFile

PUBLISHED = (
    PublishedFile(
        title="patch classifier (NYU)",
        config=PatchDenseNetConfig(),
        renamings=(),
        unused=(),
        licence=(
            "These are the weights of the patch classifier of Wu et al., IEEE Transactions on Medical Imaging 2019, given by the "
            "NYU authors with their own software under AGPL-3.0. mammoseg neither contains nor passes them on; their terms apply "
            "to your use of them. For research only, not for diagnosis."
        ),
    ),
)
