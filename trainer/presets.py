"""The two presets: the article's settings, and those that are recommended where they prove themselves."""

from schemas.errors import BadSetting
from trainer.settings import FitSettings

RECOMMENDED = "recommended"

# ``recommended`` is a factor analysis of mixed data (see trainer.scale.BalancedScaler): every feature weighs
# the same, no order is made up for text, and only what features have in common makes an axis. Values of
# fewer than one user in 200 share a column, since an axis is easily spent on a value that few have. k is
# the elbow.
PRESETS = {
    "label": FitSettings(),
    RECOMMENDED: FitSettings(encoding="one-hot", rare=0.005, scaling="balanced", k=None),
}


def preset_named(name: str) -> FitSettings:
    """The settings of a preset.

    Raises:
        BadSetting: there is none of that name.
    """
    if name not in PRESETS:
        raise BadSetting("preset", name, f"use one of {', '.join(PRESETS)}")
    return PRESETS[name]
