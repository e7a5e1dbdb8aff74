"""Boxes in a cell of a manifest: "top left bottom right; top left ..." in pixels of the image file."""

from mammoseg.records.finding import Box

BOXES_RULE = (
    "'top left bottom right' in pixels of the image, such as '1204 388 1391 560', further ones after ';', or empty: top above "
    "bottom, left of right, none below 0 or beyond 65535"
)
_FARTHEST = 65535
"""Most rows and columns that a DICOM image can have."""


def read_boxes(text: str) -> tuple[Box, ...]:
    """The boxes of a cell; none at all if one of them is no box."""
    boxes = []
    for part in text.strip().removesuffix(";").split(";"):
        try:
            top, left, bottom, right = map(float, part.split())
        except ValueError:
            return ()
        if not (0 <= top < bottom <= _FARTHEST and 0 <= left < right <= _FARTHEST):  # false for NaN, too
            return ()
        boxes.append((top, left, bottom, right))
    return tuple(boxes)
