"""Read-only views: a user explained, an imagined user, and the live changes."""
