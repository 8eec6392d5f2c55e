"""A shop's months, one retrain each."""
