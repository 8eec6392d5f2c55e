"""Read-only views: a user explained, what would move the user, and an imagined user."""
