"""Retrain a shop once for each month."""
