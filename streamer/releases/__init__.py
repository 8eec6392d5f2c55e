"""Follows the topic of releases."""
