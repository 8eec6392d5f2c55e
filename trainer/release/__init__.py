"""A release: its folder, its numbers, and the comparison with the release in use."""
