"""Translates the queries of ``sql/`` into the warehouse's dialect."""
