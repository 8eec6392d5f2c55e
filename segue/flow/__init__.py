"""The moves between segments, by hour and by minute, as windowed tables of a Faust app."""
