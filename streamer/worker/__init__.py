"""A worker process: Faust's group membership, and a thread for each lane."""
