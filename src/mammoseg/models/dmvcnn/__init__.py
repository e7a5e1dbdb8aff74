"""DMV-CNN: deep multi-view network for screening exams, and its model of single images (Wu et al. 2019)."""

from mammoseg.models.dmvcnn.config import TINY
from mammoseg.models.dmvcnn.config import DmvCnnConfig as Config
from mammoseg.models.dmvcnn.model import DmvCnn as build
from mammoseg.models.dmvcnn.published import PUBLISHED
from mammoseg.models.dmvcnn.stages import LEARNING

__all__ = ["LEARNING", "PUBLISHED", "TINY", "Config", "build"]
