"""One lane: batches, release switches and sweeps, one transaction after the other."""
