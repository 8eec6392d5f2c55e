"""The commands bootstrap, rebuild, replay and verify."""
