"""How good a fit is, and what its segments are."""
