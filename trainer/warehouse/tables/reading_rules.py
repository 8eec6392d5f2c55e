"""The rules for reading a warehouse: the shop's settings except the names of tables and columns."""

from dataclasses import dataclass
from datetime import date, datetime

from schemas.days import UTC_NAME
from schemas.features import Feature
from schemas.inputs.fields_read import EVERY_FIELD, FieldsRead, fields_read


@dataclass(frozen=True, slots=True)
class Csv:
    """How CSV files are written.

    Attributes:
        separator: the character between two fields.
        nulls: texts that mean a missing value, as an empty field does.
        encoding: Python's name of the encoding; a file that begins with a mark of UTF-8 or UTF-16 has that.
        decimal: the decimal mark of numbers: a point or a comma.
        thousands: the mark between groups of three digits; None: none where ``decimal`` is a point, else a
            point, an apostrophe or a blank.
        dates: the forms of times, as for strptime; empty: those of events.
    """

    separator: str = ","
    nulls: tuple[str, ...] = ()
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str | None = None
    dates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The rules for reading rows.

    Attributes:
        csv: how CSV files are written.
        whole_ids: whether an id such as ``17850.0`` is the whole number 17850.
        features: the features that read the rows; None: a wrong value in any known field rejects its row.
        statuses: whether orders are excluded by their status.
        latest: the latest time of a fact, for queries without ``as_of``; None: any time.
        time_zone: the zone in which a time becomes a date, by its name.
        today: the day of features of time, for queries without ``as_of`` and without a day.
    """

    csv: Csv = Csv()
    whole_ids: bool = False
    features: tuple[Feature, ...] | None = None
    statuses: bool = False
    latest: datetime | None = None
    time_zone: str = UTC_NAME
    today: date | None = None

    @property
    def fields(self) -> FieldsRead:
        """The fields that are read."""
        if self.features is None:
            return EVERY_FIELD
        return fields_read(self.features, statuses=self.statuses, time_zone=self.time_zone)

    def readers(self, field: str) -> tuple[str, ...]:
        """The names of the features that read a field, given by its name."""
        features = self.features or ()
        return tuple(f.name for f in features if field in _names(fields_read((f,), statuses=False)))


def _names(read: FieldsRead) -> set[str]:
    return {*read.known, *(field.name for field in read.own)}
