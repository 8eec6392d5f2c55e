"""What a fit may be told; the defaults are the article's."""

from dataclasses import dataclass
from typing import Literal, get_args

from schemas.errors import BadSetting
from schemas.features import FEATURE_NAMES

CategoryEncoding = Literal["label", "frequency", "one-hot"]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Settings of one fit, checked when made.

    Attributes:
        encoding: how text becomes numbers; see :class:`trainer.encode.FeatureEncoder`.
        components: the dimensions of the space that users are compared in.
        k: the number of segments; None takes the elbow of the SSE over ``k_min`` to ``k_max``.
        k_min: the smallest k of the elbow curve, which every report shows.
        k_max: the largest k of the elbow curve.
        features: the model's inputs, some of :data:`schemas.features.FEATURE_NAMES`, in this order.
        exclude_statuses: orders with one of these statuses do not count.

    Raises:
        BadSetting: a value cannot be used.
    """

    encoding: CategoryEncoding = "label"
    components: int = 2
    k: int | None = 5
    k_min: int = 2
    k_max: int = 10
    features: tuple[str, ...] = FEATURE_NAMES
    exclude_statuses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        encodings = get_args(CategoryEncoding)
        if self.encoding not in encodings:
            raise BadSetting("encoding", self.encoding, f"use one of {', '.join(encodings)}")
        if self.components < 1:
            raise BadSetting("components", self.components, "use at least 1")
        if self.k is not None and self.k < 2:
            raise BadSetting("k", self.k, "use at least 2 segments")
        if self.k_min < 2:
            raise BadSetting("k_min", self.k_min, "use at least 2 segments")
        if self.k_max < self.k_min:
            raise BadSetting("k_max", self.k_max, f"use at least k_min, which is {self.k_min}")
        self._check_features()

    def _check_features(self) -> None:
        if not self.features:
            raise BadSetting("features", self.features, f"name at least one of {', '.join(FEATURE_NAMES)}")
        for name in self.features:
            if name not in FEATURE_NAMES:
                raise BadSetting("features", name, f"use some of {', '.join(FEATURE_NAMES)}")
            if self.features.count(name) > 1:
                raise BadSetting("features", name, "name each feature once")
