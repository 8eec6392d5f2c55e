"""The settings of a step, and what the fold keeps for the declared features."""

from datetime import tzinfo
from functools import cached_property

from msgspec import Struct

from schemas.days import UTC_NAME, zone_of
from schemas.errors import BadSetting
from schemas.event_fields import KNOWN
from schemas.features import (
    FEATURES,
    FIRST_ORDER,
    LAST_ORDER,
    ORDER_VALUE,
    SIGNUP,
    Feature,
    FeatureKind,
    of_time,
)
from schemas.release.model_release import ModelRelease
from streamer.user.feature_getters import Getter, getter_of
from streamer.user.order_values import ORDER_TIME, is_of_items
from streamer.user.user_state import TALLIES


class Rules(Struct, frozen=True, dict=True):
    """The settings of a step.

    Attributes:
        prefix: the prefix of the topics' names.
        exclude_statuses: orders with one of these statuses do not count.
        features: all declared features, in order; a model uses some of them.
        min_margin: 0 to 1. A user stays in the present segment until another centre is nearer by this share
            of the distance to the present segment's centre.
        time_zone: the zone in which a time becomes a date, by its name.
    """

    prefix: str = ""
    exclude_statuses: frozenset[str] = frozenset()
    features: tuple[Feature, ...] = FEATURES
    min_margin: float = 0.0
    time_zone: str = UTC_NAME

    @cached_property
    def of_time(self) -> bool:
        """Whether a feature depends on the day."""
        return of_time(self.features)

    @cached_property
    def zone(self) -> tzinfo:
        """The zone in which a time becomes a date."""
        return zone_of(self.time_zone)

    @cached_property
    def order_days(self) -> bool:
        """Whether the orders are counted by day."""
        return any(feature.source in (LAST_ORDER, FIRST_ORDER) for feature in self.features)

    @cached_property
    def signup_days(self) -> bool:
        """Whether the signups are kept by day."""
        return any(feature.source == SIGNUP for feature in self.features)

    @cached_property
    def reach(self) -> int:
        """The days of the longest window; 0 if no feature has a window."""
        return max((feature.window for feature in self.features if feature.window is not None), default=0)

    @cached_property
    def window_tallied(self) -> tuple[str, ...]:
        """The sources whose items are counted by value for each day."""
        return self._sources("most_frequent", "distinct", in_window=True)

    @cached_property
    def window_summed(self) -> tuple[str, ...]:
        """The sources whose numbers are summed for each day."""
        return self._sources("sum", "mean", in_window=True)

    @cached_property
    def tallied(self) -> tuple[str, ...]:
        """The sources whose items are counted by value."""
        return self._sources("most_frequent", "distinct")

    @cached_property
    def summed(self) -> tuple[str, ...]:
        """The sources whose numbers are summed."""
        return self._sources("sum", "mean")

    @cached_property
    def least(self) -> tuple[str, ...]:
        """The sources whose smallest number is kept."""
        return (*self._sources("min"), *self._times)

    @cached_property
    def most(self) -> tuple[str, ...]:
        """The sources whose largest number is kept."""
        return (*self._sources("max"), *self._times)

    @cached_property
    def latest(self) -> tuple[str, ...]:
        """The sources whose newest order's value is kept."""
        return self._sources("last")

    @cached_property
    def getters(self) -> tuple[tuple[str, Getter], ...]:
        """By the name of each feature, the function that reads its value."""
        return tuple((feature.name, getter_of(feature)) for feature in self.features)

    @cached_property
    def only_tallies(self) -> tuple[tuple[str, str], ...]:
        """The tallied fields of items, and their fields of the facts; empty if the fold keeps other totals.

        The default features need no other totals.
        """
        others = (self.summed, self.least, self.most, self.latest, self.order_days, self.reach)
        if any(others) or not all(source in KNOWN and is_of_items(source) for source in self.tallied):
            return ()
        return tuple((source, TALLIES[source]) for source in self.tallied)

    @property
    def _times(self) -> tuple[str, ...]:
        """The time of orders, if a feature needs the first and the last one."""
        return (ORDER_TIME,) if any(feature.kind == "interval" for feature in self.features) else ()

    def _sources(self, *kinds: FeatureKind, in_window: bool = False) -> tuple[str, ...]:
        """The sources of orders and items that features of these kinds read, the known ones first."""
        readers = (f for f in self.features if f.kind in kinds and (f.window is not None) == in_window)
        wanted = {f.source for f in readers if f.field is None or f.field.level != "user"}
        return (*(s for s in _IN_ORDER if s in wanted), *sorted(wanted.difference(_IN_ORDER)))


# The order in which the totals of the known sources are stored.
_IN_ORDER = ("brand", "category", "product_id", "status", "price", "quantity", ORDER_VALUE)


def check_statuses(release: ModelRelease, rules: Rules) -> None:
    """Check that a release was trained with the ``exclude_statuses`` of the settings.

    Raises:
        BadSetting: the release was trained with other statuses.
    """
    trained = frozenset(release.exclude_statuses)
    if trained != rules.exclude_statuses:
        raise BadSetting(
            "exclude_statuses",
            sorted(rules.exclude_statuses),
            f"the current release {release.version} was trained with {sorted(trained)}; set it to that, or"
            " publish a release that was trained with yours",
        )
