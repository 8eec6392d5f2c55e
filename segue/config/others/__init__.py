"""Settings for what others send: the forms of their events, and the tables that are joined."""
