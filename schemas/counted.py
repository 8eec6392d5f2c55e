"""A count and its noun."""


def counted(count: int, noun: str) -> str:
    """Return the count with its noun, in the plural unless the count is 1.

    >>> counted(1, "user"), counted(1_200, "user"), counted(0, "dead letter")
    ('1 user', '1,200 users', '0 dead letters')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
