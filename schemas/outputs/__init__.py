"""What Segue writes: changes, their encoding, and record headers."""
