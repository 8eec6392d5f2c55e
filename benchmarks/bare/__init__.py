"""The least that gives Segue's outputs: the work of the limit, and of the peers inside their frameworks.

There are no dead letters, no re-keying, no erasures, no switch of the release and no takeover. An order has
one version.

    bare_events.py   decode            bare_user.py    a user's state, the fold, the features
    table_score.py   score             bare_change.py  the two records of a change
    bare_similar.py  similar users     bare_store.py   Redis: load, search, fenced save
    decide_batch.py  all of these for one batch, between its two round trips
"""
