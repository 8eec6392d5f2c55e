"""Tests here are about the figures of the resamples: all are drawn."""

import pytest


@pytest.fixture(autouse=True)
def few_resamples() -> None:
    pass
