"""What can be wrong with an image file."""


class ImageReadError(ValueError):
    """A file whose pixels cannot be read or trusted; the message names the file and says what to do."""
