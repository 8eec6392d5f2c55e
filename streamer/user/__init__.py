"""One user: the stored state, the fold of events into it, and the features that it gives."""
