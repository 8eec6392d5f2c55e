"""What the console shows, read from Kafka and Redis by what the commands call."""
