"""A model release on the wire, and the checks that it must pass."""
