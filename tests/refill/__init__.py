"""A log of a million events, rebuilt beside a living worker: how fast, that nothing differs, and in how much memory."""
