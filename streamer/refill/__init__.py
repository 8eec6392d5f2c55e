"""States made again from a log or a warehouse: bootstrap, rebuild, verify and replay."""
