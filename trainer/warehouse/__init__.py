"""The warehouse: tables that Segue reads its users, facts and features from. docs/warehouse.md tells the rules."""

from trainer.warehouse.feature_query import schema_of
from trainer.warehouse.names import Names
from trainer.warehouse.reading import Csv, Reading
from trainer.warehouse.reports import Counts, Rejected, Rejections
from trainer.warehouse.warehouse import Warehouse, open_warehouse

__all__ = [
    "Counts",
    "Csv",
    "Names",
    "Reading",
    "Rejected",
    "Rejections",
    "Warehouse",
    "open_warehouse",
    "schema_of",
]
