"""The steps of a fit: rows, encoding, scaling, clustering."""
