"""The webhooks themselves: what is sent, one request, and the order in which they are brought."""
