"""Declared features: the article's seven, and others of all kinds and sources."""

from hypothesis import strategies as st

from schemas.features import SOURCES, Feature, declared

ALL = tuple(
    Feature(f"{kind}_of_{source}", kind, source) for kind, sources in SOURCES.items() for source in sources
)
# A feature of each kind and source.
RICH = declared(ALL)


def declarations() -> st.SearchStrategy[tuple[Feature, ...]]:
    """Generate the seven features with a few others; half of the time with all others."""
    return st.one_of(st.lists(st.sampled_from(ALL), unique=True, max_size=8).map(tuple), st.just(ALL)).map(
        declared
    )
