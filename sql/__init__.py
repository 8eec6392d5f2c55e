"""The feature query, as package data."""
