"""A shop's tables and columns, and how Segue reads them."""
