"""A million events rebuilt beside a living worker: the rate, the memory, and that nothing differs."""
