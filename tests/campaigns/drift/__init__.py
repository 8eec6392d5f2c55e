"""Live drift over the weeks of a shop."""
