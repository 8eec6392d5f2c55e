"""Keeps two tables beside Kafka: each user's present segment, and the history of all changes."""
