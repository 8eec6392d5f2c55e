"""The rules for reading a warehouse: the shop's settings except the names of tables and columns."""

from dataclasses import dataclass
from datetime import datetime

from schemas.features import FIELDS, Feature, fields_read


@dataclass(frozen=True, slots=True)
class Csv:
    """How CSV files are written.

    Attributes:
        separator: the character between two fields.
        nulls: texts that mean a missing value, as an empty field does.
    """

    separator: str = ","
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The rules for reading rows.

    Attributes:
        csv: how CSV files are written.
        whole_ids: whether an id such as ``17850.0`` is the whole number 17850.
        features: a wrong value in a field of these features rejects its row; None: of all fields.
        statuses: whether orders are excluded by their status.
        latest: the latest time of a fact, for queries without ``as_of``; None: any time.
    """

    csv: Csv = Csv()
    whole_ids: bool = False
    features: tuple[Feature, ...] | None = None
    statuses: bool = False
    latest: datetime | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The fields in which a wrong value rejects its row."""
        return FIELDS if self.features is None else fields_read(self.features, statuses=self.statuses)

    def readers(self, field: str) -> tuple[str, ...]:
        """The names of the features that read a field."""
        features = self.features or ()
        return tuple(f.name for f in features if field in fields_read((f,), statuses=False))
