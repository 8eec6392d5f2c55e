"""The tables and columns of a shop, and the rules for reading them."""
