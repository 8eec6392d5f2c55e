"""Rebuild a million events beside a running worker; measure rate and memory, and check every user."""
