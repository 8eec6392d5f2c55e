"""The steps of a takeover: where a lane begins, and healing its states in Redis."""
