"""The warehouse: the tables from which Segue reads users, facts and features (see docs/warehouse.md)."""

from trainer.warehouse.checks.warehouse_reports import Counts, Rejected, Rejections
from trainer.warehouse.queries.feature_query import schema_of
from trainer.warehouse.shop_warehouse import Warehouse, open_warehouse
from trainer.warehouse.tables.reading_rules import Csv, Reading
from trainer.warehouse.tables.table_names import Names

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
