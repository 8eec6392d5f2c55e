from __future__ import annotations

from trainer.presets import PRESETS
from trainer.settings import FitSettings


def test_the_label_preset_is_the_article() -> None:
    assert PRESETS["label"] == FitSettings()


def test_the_recommended_preset() -> None:
    settings = PRESETS["recommended"]
    assert (settings.encoding, settings.rare, settings.scaling) == ("one-hot", 0.005, "balanced")
    # Similar users are found by the angle, which takes two components.
    assert (settings.components, settings.k) == (2, None)
