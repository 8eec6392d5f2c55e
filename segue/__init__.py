"""The command, its settings, the demo, and the local services."""
