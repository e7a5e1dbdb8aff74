"""GLAM: globally-aware multiple instance classifier with local high-resolution maps (Liu et al. 2021)."""

from mammoseg.models.glam.config import TINY
from mammoseg.models.glam.config import GlamConfig as Config
from mammoseg.models.glam.model import Glam as build
from mammoseg.models.glam.published import PUBLISHED
from mammoseg.models.glam.stages import LEARNING

__all__ = ["LEARNING", "PUBLISHED", "TINY", "Config", "build"]
