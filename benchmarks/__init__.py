"""Measures the claims of the documentation against alternatives, in the same run: `make bench`."""
