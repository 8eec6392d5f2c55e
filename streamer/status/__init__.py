"""A worker's health pages, metrics and logs."""
