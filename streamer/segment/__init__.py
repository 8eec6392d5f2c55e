"""From features to a segment: scoring, similar users, and the change that an event makes."""
