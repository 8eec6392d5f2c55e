"""`segue doctor`: what is reachable, what fits, what lags behind, and what to do about it.

Every check is one line; a check whose ground is missing is not made.

    check.py        a line of the answer
    on_kafka.py     the cluster, the topics, the release, the group
    on_redis.py     the server and the users
    places.py       the lanes' places, as a worker would judge them
    versions.py     what is installed
    next_steps.py   what to run, where nothing has been set up
"""
