"""The presets: ``article``, and ``recommended`` for shops where it passes the controls."""

from trainer.steps.fit_settings import FitSettings, Preset

ARTICLE: Preset = "article"
RECOMMENDED: Preset = "recommended"

# ``recommended`` is a factor analysis of mixed data (see trainer.steps.scale.BalancedScaler). Every feature
# has the same weight, and texts get no artificial order. An axis shows what several features have in common.
# Values of fewer than one user in 200 share a column: otherwise an axis could show only one rare value. k is
# the elbow.
PRESETS: dict[Preset, FitSettings] = {
    ARTICLE: FitSettings(k_by="preset"),
    RECOMMENDED: FitSettings(preset=RECOMMENDED, encoding="one-hot", rare=0.005, scaling="balanced", k=None),
}
