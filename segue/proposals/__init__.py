"""Proposed settings for a shop's warehouse: made, tried and written."""
