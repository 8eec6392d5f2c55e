"""The queries of `sql/` in the warehouse's dialect."""
