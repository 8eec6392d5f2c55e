"""Declared features: the article's seven, and others of all kinds and sources."""

from typing import get_args

from hypothesis import strategies as st

from schemas.features import Feature, FeatureKind, declared, known_sources

ALL = tuple(
    Feature(f"{kind}_of_{source}", kind, source)
    for kind in get_args(FeatureKind)
    for source in known_sources(kind)
)
# A feature of each kind and source.
RICH = declared(ALL)


def declarations() -> st.SearchStrategy[tuple[Feature, ...]]:
    """Generate the seven features with a few others; half of the time with all others."""
    return st.one_of(st.lists(st.sampled_from(ALL), unique=True, max_size=8).map(tuple), st.just(ALL)).map(
        declared
    )
