"""Determines what a training fits, from a preset, the command's options and the continued release.

The heavy libraries are loaded only for the training itself. So a wrong option is reported at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from schemas.errors import NotContinued
from schemas.features import RFM, Feature, beyond_default, features_text
from schemas.release.model_release import ModelRelease
from segue.config.command_line import bad_option
from segue.config.declarations import PRESET_FEATURES
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from trainer.release.continuable import same_space, settings_of
from trainer.steps.fit_settings import CategoryEncoding, FitSettings, Scaling
from trainer.steps.presets import ARTICLE, PRESETS
from trainer.steps.training_window import Window

if TYPE_CHECKING:
    from trainer.release.current_release import Current
    from trainer.warehouse import Warehouse

AUTO = "auto"
NONE = "none"
"""The value of ``--current`` for a first training, in place of a folder."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """The options of `train`; None for an option that was not given.

    Attributes:
        k: a number of segments, or ``auto``.
        encoding: the encoding of text features.
        components: the number of the space's dimensions.
        scaling: the scaling of the space's columns.
        compare: whether the encodings are compared with controls.
        refit_space: whether the space is learned again even if a release is continued.
    """

    k: str | None = None
    encoding: str | None = None
    components: int | None = None
    scaling: str | None = None
    compare: bool = True
    refit_space: bool = False

    def __post_init__(self) -> None:
        """Raise BadUsage if k is neither a number nor ``auto``."""
        if self.k is not None and self.k != AUTO and not (self.k.isdecimal() and len(self.k) < 10):
            raise bad_option("--k", self.k, "give a whole number of at least 2, or auto")


def fit_settings(
    settings: Settings, options: FitOptions, followed: ModelRelease | None = None
) -> FitSettings:
    """Return the settings of a fit.

    Each value comes from the user, else from the continued release, else from the preset ``article``.

    Args:
        settings: contain the preset, the features and the statuses.
        options: the command's options.
        followed: the release to continue; None for a first training.

    Raises:
        BadSetting: a value cannot be used.
        NotContinued: the continued release uses a feature that the settings do not declare.
    """
    features = _features(settings, followed, refit=options.refit_space)
    base = _base(settings, followed, features)
    given: dict[str, Any] = {
        "features": features,
        "compare": options.compare,
        "time_zone": settings.time_zone,
    }
    if "exclude_statuses" in settings.model_fields_set or followed is None:
        given["exclude_statuses"] = settings.exclude_statuses
    if options.encoding is not None:
        given["encoding"] = cast(CategoryEncoding, options.encoding)  # which FitSettings checks
    if options.scaling is not None:
        given["scaling"] = cast(Scaling, options.scaling)  # likewise
    if options.components is not None:
        given["components"] = options.components
    if options.k is not None:
        given |= {"k": None if options.k == AUTO else int(options.k), "k_by": "setting"}
    elif followed is not None and not options.refit_space:
        given["k"] = None  # the training keeps the release's number of segments
    return replace(base, **given)


def _base(settings: Settings, followed: ModelRelease | None, features: tuple[Feature, ...]) -> FitSettings:
    """Return the settings before options.

    These are the continued release's settings if no preset is set. If the preset has the release's space, the
    release's number of components and segments replaces the preset's.
    """
    preset = PRESETS[settings.preset or ARTICLE]
    if followed is None:
        return preset
    kept = settings_of(followed, features)
    if settings.preset is None:
        return kept
    preset = replace(preset, exclude_statuses=kept.exclude_statuses)
    if not same_space(followed, preset, features):
        return preset
    return replace(preset, components=kept.components, k=kept.k, k_by=kept.k_by)


def _features(settings: Settings, followed: ModelRelease | None, *, refit: bool) -> tuple[Feature, ...]:
    """Return the features that the user or the preset sets, else the features of the continued release."""
    if followed is None or refit or _names_features(settings):
        return settings.model_features
    known = {feature.name: feature for feature in settings.declared}
    undeclared = [feature for feature in followed.declared if feature.name not in known]
    if undeclared:
        how = "set the preset rfm" if set(undeclared) <= set(beyond_default(RFM)) else "declare it"
        raise NotContinued(
            f"the current release {followed.version} takes {features_text(undeclared)}, which the setting"
            f" `declare` lacks: {how} to continue the release, or leave it out with --refit-space; if it"
            " is the release of another shop, set another topic_prefix"
        )
    return tuple(known[feature.name] for feature in followed.features)


def _names_features(settings: Settings) -> bool:
    """Whether the settings name the model's features, themselves or by their preset."""
    return "features" in settings.model_fields_set or settings.preset in PRESET_FEATURES


def unused_features(settings: Settings, fit: FitSettings) -> list[str]:
    """Return the declared features that the fit does not use, although the user did not leave them out."""
    if _names_features(settings):
        return []
    return [each.name for each in beyond_default(settings.declared) if each.name not in fit.names]


def train_release(
    warehouse: Warehouse,
    settings: Settings,
    out: Path,
    say: Callable[[str], None],
    *,
    window: Window,
    current: Current | None = None,
    refit_space: bool = False,
    fit: FitSettings | None = None,
) -> tuple[Path, ModelRelease]:
    """Train a release, and write it.

    Args:
        warehouse: the users and their orders.
        settings: contain the shop's name and currency; for a training without ``fit``, the features, the
            statuses and the time zone, too.
        out: the folder of releases.
        say: called with the name of each step.
        window: the times that limit the users and the facts.
        current: the release to continue; None for a first training.
        refit_space: whether the space is learned again.
        fit: the settings of the fit; None means the preset ``article``.

    Returns:
        The release's folder, and the release.

    Raises:
        SegueError: as :func:`trainer.train.train`.
    """
    with installed():
        from trainer.release.release_folder import load_release  # noqa: PLC0415 - heavy
        from trainer.report import Shop  # noqa: PLC0415 - heavy
        from trainer.train import train  # noqa: PLC0415 - heavy
    if fit is None:
        fit = replace(
            PRESETS[ARTICLE],
            features=settings.model_features,
            exclude_statuses=settings.exclude_statuses,
            time_zone=settings.time_zone,
        )
    path = train(
        warehouse,
        fit,
        out,
        say,
        window=window,
        current=current,
        refit_space=refit_space,
        shop=Shop(settings.shop, settings.currency),
    )
    return path, load_release(path)
