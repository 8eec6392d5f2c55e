"""Drift: a sample of today's users, compared with the users that the release in use was trained on."""
