"""The file of triggers, such as `triggers.toml`: what it may say, and what it says."""
