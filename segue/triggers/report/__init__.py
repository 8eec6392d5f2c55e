"""What the triggers changed: users who got the webhook against users who were held out."""
