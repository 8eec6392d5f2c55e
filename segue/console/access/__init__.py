"""Who may read and write: tokens, logins, and the gate before every page."""
