"""One user: the stored state, the fold of events into the state, and the user's features."""
