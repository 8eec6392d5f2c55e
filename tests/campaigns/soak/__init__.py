"""A worker at half load for a long time: nothing grows that should not."""
