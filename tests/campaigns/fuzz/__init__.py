"""Mix hostile and good events: the worker stays up, bad events are dead letters, good events are applied."""
