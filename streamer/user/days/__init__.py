"""Features of time: totals by day, what is read from them, and the days on which they change."""
