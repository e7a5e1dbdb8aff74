"""The two projections that preparation tells apart.

Source   Released preprocessing of the NYU models, which know CC and MLO. Views named ..CC.. and FB (craniocaudal
         projections) are treated as CC, all others as MLO.
"""

from typing import Literal, get_args

Projection = Literal["CC", "MLO"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)


def projection_of(view: str) -> Projection:
    """As which of the two a view is centred, and whose window it has."""
    return "CC" if "CC" in view.upper() or view.upper() == "FB" else "MLO"
