"""What a simulation ends with when a promise does not hold."""


class BrokenPromise(AssertionError):
    """A commit, or what is there in the end, is not what one pass over the log gives."""
