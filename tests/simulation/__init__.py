"""Deterministic simulation of the lanes: the product's own code, over a Kafka and a Redis in memory that fail.

Two workers share the lanes. At every call of a log or a store the next thing may go wrong, and another
worker may go first; a seed decides all of it, so that a failing seed fails again, step by step.
The way of FoundationDB and TigerBeetle: see docs/simulation.md.

``schedule`` lets one lane run at a time; ``world`` holds topics and Redis; ``events`` writes what producers
write; ``releases`` publishes and rolls back; ``faults`` breaks calls and the world; ``check`` knows what one pass over the log decides;
``workers`` runs lanes as a worker's threads do; ``seed`` puts one run together, ``campaign`` many;
``planted`` breaks the lane on purpose.
"""
