"""Figures and checks of a fit: quality, stability, names and meaning of the segments."""
