"""Input events: decoding and checks."""
