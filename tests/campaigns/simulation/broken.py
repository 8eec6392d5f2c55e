"""What a simulation ends with when a promise does not hold."""


class BrokenPromise(AssertionError):
    """A commit, or what is there in the end, is not what one pass over the log gives."""


def same(what: str, found: object, expected: object) -> None:
    """Compare what there is with what one pass over the log gives."""
    if found != expected:
        raise BrokenPromise(f"{what}:\n  one pass gives {expected}\n  there is       {found}")
