"""The two presets: the article's settings, and those that are recommended where they prove themselves."""

from trainer.steps.fit_settings import FitSettings, Preset

LABEL: Preset = "label"
RECOMMENDED: Preset = "recommended"

# ``recommended`` is a factor analysis of mixed data (see trainer.steps.scale.BalancedScaler): every feature weighs
# the same, no order is made up for text, and only what features have in common makes an axis. Values of
# fewer than one user in 200 share a column, since an axis is easily spent on a value that few have. k is
# the elbow.
PRESETS: dict[Preset, FitSettings] = {
    LABEL: FitSettings(k_by="preset"),
    RECOMMENDED: FitSettings(preset=RECOMMENDED, encoding="one-hot", rare=0.005, scaling="balanced", k=None),
}
