"""Figures and checks of a fit: quality, stability and meaning of the segments."""
