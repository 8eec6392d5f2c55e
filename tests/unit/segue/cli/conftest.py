"""Tests here train with fewer resamples."""

from tests.support.worlds.few_resamples import few_resamples

__all__ = ["few_resamples"]
