"""How commands reach Kafka, Redis and the release in use."""
