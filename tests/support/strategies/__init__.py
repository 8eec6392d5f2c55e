"""Generators of inputs for property tests."""
