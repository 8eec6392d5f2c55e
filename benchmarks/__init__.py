"""What the documents claim, measured beside an alternative in the same run: `make bench`."""
