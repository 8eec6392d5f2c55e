"""The steps of a takeover: find the offsets where the lane begins, and heal its states in Redis."""
