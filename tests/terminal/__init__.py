"""What a person meets at a terminal: every command interrupted at random moments, and the demo played again and again."""
