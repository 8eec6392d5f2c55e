"""Checks of the warehouse, and reports of the rows left out."""
