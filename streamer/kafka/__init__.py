"""All code that talks to Kafka."""
