"""How numbers and times are written in text."""
