"""Patch classifier of Wu et al. 2019: a DenseNet that learns from lesion masks, and whose heatmaps other models see."""

from mammoseg.models.patch_densenet.config import TINY
from mammoseg.models.patch_densenet.config import PatchDenseNetConfig as Config
from mammoseg.models.patch_densenet.model import PatchDenseNet as build
from mammoseg.models.patch_densenet.published import PUBLISHED
from mammoseg.models.patch_densenet.stages import LEARNING

__all__ = ["LEARNING", "PUBLISHED", "TINY", "Config", "build"]
