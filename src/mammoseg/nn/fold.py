"""Folding batch norms into the convolutions before them: the same function with fewer passes over memory. For inference only.

A block says in FOLDS which of its batch norms directly follow which of its convolutions.
"""

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(model: nn.Module) -> None:
    """Change a model in eval mode, in place. It computes what it did (up to rounding), and cannot be trained any more."""
    for module in list(model.modules()):
        for convolution, norm in getattr(module, "FOLDS", ()):
            setattr(module, convolution, fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm)))
            setattr(module, norm, nn.Identity())
