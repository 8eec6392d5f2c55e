"""The kinds of warehouse, one file each."""
