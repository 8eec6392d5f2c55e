"""Connections of the commands: Kafka, Redis, and the release in use."""
