"""From an event to a segment: the fold, the score, the lane, and its edges."""
