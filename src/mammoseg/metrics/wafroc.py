"""Weighted AFROC: as AFROC, with every image that has lesions counting alike, however many they are.

    theta = sum over lesions l and normal images k of w_l psi(z_l, x_k) / (images with lesions * normal images)

w_l is 1 / number of lesions of its image. Otherwise images with many lesions would decide.

Source   Chakraborty and Zhai 2016, Medical Physics 43:2548; Chakraborty 2017, Observer Performance Methods for Diagnostic
         Imaging, ch. 14.
"""

from mammoseg.statistics.froc import Marked, area
from mammoseg.statistics.ranking import Floats

KIND = "marks"
TITLE = "Weighted AFROC"
SCALE = "logit"


def measure(marked: Marked, weights: Floats) -> Floats:
    """The figure of merit for every row of `weights` (R, n) -> (R,); NaN where no lesion or no normal image has a weight."""
    return area(marked, weights, marked.lesion_share())
