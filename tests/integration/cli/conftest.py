"""The tests of commands that run in this process train with few resamples."""

from tests.support.worlds.few_resamples import few_resamples

__all__ = ["few_resamples"]
