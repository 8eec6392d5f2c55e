"""A log of a million events, rebuilt beside a living worker: how fast, and that nothing differs."""
