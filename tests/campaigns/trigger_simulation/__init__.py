"""The lanes of triggers in memory under series of faults: `make simulate`.

Two processes take turns at one partition. They crash between any two steps, also just before and just after a
commit, and go on after they were fenced. Receivers take webhooks, refuse them, and answer too late.
"""
