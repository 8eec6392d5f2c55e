"""The facts in the form of the pages. Pure."""
