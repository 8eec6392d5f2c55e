"""What the commands of releases share."""
