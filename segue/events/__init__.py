"""Input events: sending, erasing a user, and dead letters."""
