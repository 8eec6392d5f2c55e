"""`segue doctor`: check Kafka, Redis, topics, release, lag and places, and say what to do.

Each check gives one line. A check that needs the result of a failed check is left out.

    check.py        the result of one check
    on_kafka.py     the cluster, the topics, the release, the group
    on_triggers.py  the triggers' group and dead letters
    on_flow.py      the group of `segue flow`
    on_redis.py     the server and the users
    places.py       the lanes' places, as a worker would judge them
    versions.py     the installed versions
    next_steps.py   what to run before anything is set up
"""
