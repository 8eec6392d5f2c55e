"""What a person sees at a terminal: every command interrupted at random moments, and the demo many times."""
