"""Hostile events among good ones: the worker stays up, bad ones are dead letters, good ones applied."""
