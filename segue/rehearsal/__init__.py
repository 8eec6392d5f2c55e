"""Rehearsal: decide the last days of the log by two releases, before one of them is published."""
