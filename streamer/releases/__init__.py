"""Following the topic of releases."""
