"""Read-only views: a user explained, and an imagined user."""
