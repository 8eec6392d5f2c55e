"""A shop, day by day: time alone moves users, and each is where a recomputation says."""
