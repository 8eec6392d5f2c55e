"""A release: its folder, its numbers, and how it compares with the release in use."""
