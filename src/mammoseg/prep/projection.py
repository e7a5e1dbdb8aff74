"""The two projections that preparation tells apart.

Source   Released preprocessing of the NYU models, which know CC and MLO. Views named ..CC.. and FB (craniocaudal
         projections) are treated as CC, all others as MLO.
"""

from collections.abc import Mapping
from typing import Literal, get_args

Projection = Literal["CC", "MLO"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)


def check_each(windows: Mapping[Projection, object]) -> None:
    """Raises ValueError unless there is one for each projection."""
    if set(windows) != set(PROJECTIONS):
        raise ValueError(f"windows are of {' and '.join(PROJECTIONS)}, of each one; got {', '.join(windows)}")


def projection_of(view: str) -> Projection:
    """As which of the two a view is centred, and whose window it has."""
    return "CC" if "CC" in view.upper() or view.upper() == "FB" else "MLO"
