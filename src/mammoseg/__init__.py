"""mammoseg: weakly supervised, high-resolution segmentation and classification of mammograms. Research use only."""

__version__ = "0.1.0"
