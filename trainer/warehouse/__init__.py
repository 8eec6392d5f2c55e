"""The warehouse: tables that Segue reads its users, facts and features from. docs/warehouse.md tells the rules."""

from trainer.warehouse.names import Names
from trainer.warehouse.reports import Counts, Rejected, Rejections
from trainer.warehouse.warehouse import FEATURES_SCHEMA, Warehouse, open_warehouse

__all__ = ["FEATURES_SCHEMA", "Counts", "Names", "Rejected", "Rejections", "Warehouse", "open_warehouse"]
