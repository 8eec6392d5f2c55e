"""A model release on the wire, and the rules that it must keep."""
