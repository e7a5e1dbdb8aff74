"""How large the parts of a trunk may be: far above any published network, far below what no memory holds."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

Width = Annotated[int, Field(ge=1, le=16_384)]
"""Channels of a group."""
Blocks = Annotated[int, Field(ge=1, le=200)]
"""Blocks of a group."""
Stride = Annotated[int, Field(ge=1, le=64)]
MOST_GROUPS = 16


def check_groups(blocks: Sequence[int], widths: Sequence[int], strides: Sequence[int]) -> None:
    """Raises ValueError unless each has one entry per group, and there is at least one group and no more than MOST_GROUPS."""
    if not len(blocks) == len(widths) == len(strides) > 0:
        raise ValueError("blocks, widths and strides must have one entry per group")
    if len(blocks) > MOST_GROUPS:
        raise ValueError(f"there are {len(blocks)} groups; expected at most {MOST_GROUPS}")
