"""From an event to a segment.

An event passes these folders in this order: ``kafka`` reads it, ``batch`` decodes it and loads its user from
``redis``, ``user`` folds it, ``segment`` scores and compares, ``batch`` makes the records, ``lane`` commits
and saves.

Folders:

    worker/      a process: group membership, a thread for each lane
    lane/        one lane: batches, release switches, sweeps
    takeover/    how a lane gets a new owner, and healing
    batch/       one batch of records
    segment/     features to segment, similar users, changes
    user/        one user's state and the fold
    interfaces/  what a lane needs from Kafka and Redis; in_memory.py does both without servers
    place/       how far the states in Redis have come in a lane
    kafka/       the only code of lanes that talks to Kafka
    redis/       the only code of lanes that talks to Redis
    releases/    following the topic of releases
    drift/       today's users, compared with the training users
    refill/      bootstrap, rebuild, replay
    status/      health, metrics, logs
"""
