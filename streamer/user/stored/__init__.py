"""The stored form of a user in Redis, and its formats."""
