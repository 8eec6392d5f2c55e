"""What a shop's tables look like: their columns, and what the values are."""
