"""The error of a simulation that breaks a promise."""


class BrokenPromise(AssertionError):
    """A commit or the final state differs from one pass over the log."""


def same(what: str, found: object, expected: object) -> None:
    """Raise if a value differs from one pass over the log."""
    if found != expected:
        raise BrokenPromise(f"{what}:\n  one pass gives {expected}\n  there is       {found}")
