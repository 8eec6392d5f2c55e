"""A worker: Faust's group membership, and a thread for each lane."""
