"""Simulate the lanes deterministically: the product's own code over an in-memory Kafka and Redis that fail.

Two workers share the lanes, and operators run commands beside them. At every call of a log or a store a fault
may come, and another worker may go first. The seed decides everything, so a failing seed fails again, step by
step. FoundationDB and TigerBeetle test in this way: see docs/simulation.md.

``schedule`` lets one lane run at a time; ``world`` holds topics and Redis; ``events`` are the producers;
``releases`` publishes and rolls back; ``faults`` breaks calls and the world; ``check`` computes the decisions
of one pass over the log; ``workers`` runs lanes as a worker's threads do; ``seed`` runs one seed,
``campaign`` runs many; ``operators`` rebuild, switch, drop and bootstrap; ``warehouse`` gives them a past,
and ``filled`` checks their result; ``planted`` plants faults in the lane, ``planted_commands`` in the
operators' commands.
"""
