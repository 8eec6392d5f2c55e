"""Kill and pause real servers and workers at random, then check every user.

The seed decides the events, the faults and their order; the clock decides when a fault meets an event.
"""
