"""What the last comparison of today's users with the training users found, for pages and metrics."""

from datetime import datetime

from msgspec import Struct


class FeatureDrift(Struct, frozen=True):
    """One feature. Shares are 0 to 1.

    Attributes:
        name: the feature.
        psi: the index between the training users and the compared users; None if nobody was compared.
        threshold: an index above it is drift; None likewise.
        absent: the share of the sampled users without a value that the model can read.
        unseen: the share of the sampled users with a value that training never saw.
    """

    name: str
    psi: float | None
    threshold: float | None
    absent: float
    unseen: float

    @property
    def drifted(self) -> bool:
        """Whether the index is above its threshold."""
        return self.psi is not None and self.threshold is not None and self.psi > self.threshold


class DriftStatus(Struct, frozen=True):
    """The comparison.

    Attributes:
        version: the release whose training users were compared.
        activation: its activation.
        at: when the users were read.
        users: how many users were sampled.
        compared: how many of them were compared: those with an order and every feature of the model, as in
            training.
        provisional: the share of the sampled users who lack a feature.
        features: the features of the model, in its order.
    """

    version: str
    activation: int
    at: datetime
    users: int
    compared: int
    provisional: float
    features: tuple[FeatureDrift, ...]

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        """The features that have drifted."""
        return tuple(feature for feature in self.features if feature.drifted)
