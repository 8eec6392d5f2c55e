from __future__ import annotations

from typing import get_args

from segue.config import settings
from trainer.steps.fit_settings import FitSettings, Preset
from trainer.steps.presets import PRESETS


def test_the_article_preset_is_the_default() -> None:
    assert PRESETS["article"] == FitSettings()


def test_the_recommended_preset() -> None:
    preset = PRESETS["recommended"]
    assert (preset.encoding, preset.rare, preset.scaling) == ("one-hot", 0.005, "balanced")
    # Similar users are found by the angle, which takes two components.
    assert (preset.components, preset.k) == (2, None)


def test_each_preset_has_its_name_and_the_setting_knows_it() -> None:
    assert [preset.preset for preset in PRESETS.values()] == list(PRESETS) == list(get_args(Preset))
    assert get_args(Preset) == get_args(settings.Preset)
