"""Shared parts of the commands for releases: train, publish, releases and rollback."""
