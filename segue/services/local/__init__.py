"""A Kafka and a Redis on this machine."""
