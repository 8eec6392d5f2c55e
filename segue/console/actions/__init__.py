"""What a person with the write token may do: each is a command, with one sentence as its result."""
