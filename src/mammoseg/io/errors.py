"""What can be wrong with a file."""


class ImageReadError(ValueError):
    """A file whose pixels cannot be read or trusted; the message names the file and says what to do."""


class RunFileError(ValueError):
    """A file of a predictions folder that is missing, damaged, or cannot be written as asked."""
