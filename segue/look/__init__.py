"""What a user looks at: explanations and changes."""
