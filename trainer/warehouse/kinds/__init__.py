"""The kinds of warehouse, one file for each."""
