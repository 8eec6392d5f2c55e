"""Declared features: the article's seven and any others, over all kinds and sources."""

from hypothesis import strategies as st

from schemas.features import SOURCES, Feature, declared

ALL = tuple(
    Feature(f"{kind}_of_{source}", kind, source) for kind, sources in SOURCES.items() for source in sources
)
# One of each kind and source.
RICH = declared(ALL)


def declarations() -> st.SearchStrategy[tuple[Feature, ...]]:
    """The seven and a few others, sometimes none, sometimes all."""
    some = st.lists(st.sampled_from(ALL), unique=True, min_size=1, max_size=8).map(tuple)
    return st.one_of(some, some, some, st.sampled_from([(), ALL])).map(declared)
