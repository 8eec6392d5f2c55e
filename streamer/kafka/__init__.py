"""The only code of lanes that talks to Kafka."""
