"""Proposes settings for a shop's warehouse: from the names and the contents of its tables."""
