"""What can be wrong with a review."""


class ReviewError(ValueError):
    """A setting, a work list or a file of a review that cannot be used."""


class VerdictError(ValueError):
    """A verdict that is not kept; the message is for the reader."""
