"""Run a worker at half load for a long time, and check that memory, handles, keys and lag do not grow."""
