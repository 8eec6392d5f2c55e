"""Settings: from the file, the environment and the command line."""
