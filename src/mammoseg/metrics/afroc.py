"""AFROC: the probability that a lesion is rated higher than a normal image, by its highest false mark.

    theta = sum over lesions l and normal images k of psi(z_l, x_k) / (lesions * normal images)

psi is 1 for z > x, 1/2 for z = x, 0 for z < x; what has no mark has the rating -inf. It is the area under the curve of the lesion
localisation fraction over the share of normal images with a mark, with a straight line to (1, 1).

Source   Chakraborty 1989, Medical Physics 16:561; Chakraborty and Berbaum 2004, Medical Physics 31:2313, eq. 2.
"""

from mammoseg.statistics.froc import Marked, area
from mammoseg.statistics.ranking import Floats

KIND = "marks"
TITLE = "AFROC"
SCALE = "logit"


def measure(marked: Marked, weights: Floats) -> Floats:
    """The figure of merit for every row of `weights` (R, n) -> (R,); NaN where no lesion or no normal image has a weight."""
    return area(marked, weights)
