from __future__ import annotations

import pytest

from schemas.errors import BadSetting
from trainer.presets import PRESETS, preset_named
from trainer.settings import FitSettings


def test_the_label_preset_is_the_article() -> None:
    assert PRESETS["label"] == FitSettings()


def test_the_recommended_preset() -> None:
    settings = PRESETS["recommended"]
    assert (settings.encoding, settings.rare, settings.scaling) == ("one-hot", 0.005, "balanced")
    # Similar users are found by the angle, which takes two components.
    assert (settings.components, settings.k) == (2, None)


def test_a_preset_by_name() -> None:
    assert preset_named("recommended") is PRESETS["recommended"]
    with pytest.raises(BadSetting, match="setting preset is 'best': use one of label, recommended"):
        preset_named("best")
