"""The settings of a fit; the defaults are those of the preset ``article``."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from schemas.days import UTC_NAME
from schemas.errors import BadSetting
from schemas.features import FEATURES, RFM, Feature

Preset = Literal["article", "rfm", "recommended"]
CategoryEncoding = Literal["label", "frequency", "one-hot"]
Scaling = Literal["standard", "balanced", "none"]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """The settings of one fit, checked when created.

    Attributes:
        preset: the name of the preset that the other settings began with (:mod:`trainer.steps.presets`).
        encoding: how text becomes numbers, if a feature has no encoding of its own; see
            :class:`trainer.steps.encode.FeatureEncoder`.
        rare: under ``one-hot``, values with less than this share of the training rows share a column.
        scaling: ``standard`` gives every column standard deviation 1, ``balanced`` every feature the same
            weight (:class:`trainer.steps.scale.BalancedScaler`), ``none`` leaves the columns as they are. All
            three centre the columns.
        components: the number of dimensions of the space in which users are compared.
        k: the number of segments. None: that of the continued release, or else the elbow of the SSE over
            ``k_min`` to ``k_max``.
        k_by: what chose ``k``: ``preset``, ``setting`` (the option ``--k``) or ``release`` (in use).
        k_min: the smallest k of the search (every report shows the search).
        k_max: the largest k of the search.
        features: the model's inputs, in this order.
        exclude_statuses: orders with one of these statuses do not count.
        time_zone: the zone in which a time becomes a date, for features of time.
        compare: whether to compute the controls of the encodings (:mod:`trainer.controls.compare_encodings`).
            They take longer than the fit and change only the report.

    Raises:
        BadSetting: a value cannot be used.
    """

    preset: Preset = "article"
    encoding: CategoryEncoding = "label"
    rare: float = 0.0
    scaling: Scaling = "standard"
    components: int = 2
    k: int | None = 5
    k_by: Literal["preset", "setting", "release"] = field(default="setting", compare=False)
    k_min: int = 2
    k_max: int = 10
    features: tuple[Feature, ...] = FEATURES
    exclude_statuses: tuple[str, ...] = ()
    time_zone: str = UTC_NAME
    compare: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(feature.name for feature in self.features)

    def __post_init__(self) -> None:
        _check_choice("preset", self.preset, get_args(Preset))
        _check_choice("encoding", self.encoding, get_args(CategoryEncoding))
        _check_choice("scaling", self.scaling, get_args(Scaling))
        if not 0 <= self.rare < 0.5:
            raise BadSetting("rare", self.rare, "use a share of users, at least 0 and below 0.5")
        if self.components < 1:
            raise BadSetting("components", self.components, "use at least 1")
        if self.k is not None and self.k < 2:
            raise BadSetting("k", self.k, "use at least 2 segments")
        if self.k_min < 2:
            raise BadSetting("k_min", self.k_min, "use at least 2 segments")
        if self.k_max < self.k_min:
            raise BadSetting("k_max", self.k_max, f"use at least k_min, which is {self.k_min}")
        if not self.features:
            raise BadSetting("features", self.features, "name at least one feature")
        if self.preset == "rfm" and not set(RFM) <= set(self.features):
            needed = ", ".join(feature.name for feature in RFM)
            fix = f"name {needed}, too, which the preset rfm needs, or leave features out"
            raise BadSetting("features", ", ".join(self.names), fix)
        for name in self.names:
            if self.names.count(name) > 1:
                raise BadSetting("features", name, "name each feature once")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise BadSetting(name, value, f"use one of {', '.join(choices)}")
