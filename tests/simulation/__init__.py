"""Deterministic simulation of the lanes: the product's own code, over a Kafka and a Redis in memory that fail.

Two workers share the lanes, and operators run commands beside them. At every call of a log or a store the next thing may go wrong, and another
worker may go first; a seed decides all of it, so that a failing seed fails again, step by step.
The way of FoundationDB and TigerBeetle: see docs/simulation.md.

``schedule`` lets one lane run at a time; ``world`` holds topics and Redis; ``events`` writes what producers
write; ``releases`` publishes and rolls back; ``faults`` breaks calls and the world; ``check`` knows what one pass over the log decides;
``workers`` runs lanes as a worker's threads do; ``seed`` puts one run together, ``campaign`` many;
``operators`` rebuild, switch, drop and bootstrap, ``warehouse`` gives them a past, and ``filled`` knows what they are to leave;
``planted`` breaks the lane on purpose, ``planted_commands`` what operators run.
"""
