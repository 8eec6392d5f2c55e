"""Declared features: the article's seven and any others, over all kinds and sources."""

from hypothesis import strategies as st

from schemas.features import SOURCES, Feature, declared

ALL = tuple(
    Feature(f"{kind}_of_{source}", kind, source) for kind, sources in SOURCES.items() for source in sources
)
# One of each kind and source.
RICH = declared(ALL)


def declarations() -> st.SearchStrategy[tuple[Feature, ...]]:
    """The seven and a few others; as often all of them."""
    return st.one_of(st.lists(st.sampled_from(ALL), unique=True, max_size=8).map(tuple), st.just(ALL)).map(
        declared
    )
