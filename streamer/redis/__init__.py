"""All code of lanes that talks to Redis."""
