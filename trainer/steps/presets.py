"""The presets: ``article``, ``rfm``, and ``recommended`` for shops where it passes the controls."""

from collections.abc import Collection

from schemas.features import RFM as RFM_FEATURES
from schemas.features import Feature
from trainer.steps.fit_settings import FitSettings, Preset

ARTICLE: Preset = "article"
RFM: Preset = "rfm"
RECOMMENDED: Preset = "recommended"

# ``rfm`` compares users by recency, frequency and money. All three are skewed, so the model reads logarithms.
# Two components keep most of three features, and in two the index of similar users is exact. k is the elbow.
#
# ``recommended`` is a factor analysis of mixed data (see trainer.steps.scale.BalancedScaler). Every feature
# has the same weight, and texts get no artificial order. An axis shows what several features have in common.
# Values of fewer than one user in 200 share a column: otherwise an axis could show only one rare value. k is
# the elbow.
PRESETS: dict[Preset, FitSettings] = {
    ARTICLE: FitSettings(k_by="preset"),
    RFM: FitSettings(preset=RFM, k=None, features=RFM_FEATURES),
    RECOMMENDED: FitSettings(preset=RECOMMENDED, encoding="one-hot", rare=0.005, scaling="balanced", k=None),
}


def reads_rfm(features: Collection[Feature]) -> bool:
    """Whether the features of the preset ``rfm`` are among these."""
    return set(RFM_FEATURES) <= set(features)
