"""One server process: its start, its ports, its end."""
