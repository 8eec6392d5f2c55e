"""From features to a segment: scoring, nearest users, and the change that an event causes."""
