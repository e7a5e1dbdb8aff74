"""GMIC: globally-aware multiple instance classifier (Shen et al. 2021)."""

from mammoseg.models.gmic.config import TINY
from mammoseg.models.gmic.config import GmicConfig as Config
from mammoseg.models.gmic.model import Gmic as build
from mammoseg.models.gmic.published import PUBLISHED
from mammoseg.models.gmic.stages import LEARNING

__all__ = ["LEARNING", "PUBLISHED", "TINY", "Config", "build"]
