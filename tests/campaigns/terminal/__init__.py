"""Use Segue as a person at a terminal: interrupt every command at random moments, and play the demo."""
