"""What can be wrong with a reader study."""


class StudyError(ValueError):
    """A table that is no reader study, or an analysis that it does not allow; the message says what to do."""
