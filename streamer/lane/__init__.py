"""One lane: its takeovers, batches, release switches and sweeps, one transaction after the other."""
