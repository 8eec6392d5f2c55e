"""Publishes a release, and rolls back to a published release."""
