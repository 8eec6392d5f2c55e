"""Input events: send them, erase a user, and handle dead letters."""
