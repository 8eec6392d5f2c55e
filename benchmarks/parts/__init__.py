"""Measures each part of the work on an event, beside an alternative in the same process: `make bench-parts`.

of_an_event.py  the parts of a worker's work, beside those of the limit
scoring.py      beside scikit-learn's pipeline      neighbours.py  beside a scan of all users
days.py         features of time beside others  backlog_lane.py  the lane for them
measure.py      two ways in turn, and their ratio
"""
