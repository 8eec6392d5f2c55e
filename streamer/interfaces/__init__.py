"""What a lane needs from Kafka and Redis, as interfaces."""
