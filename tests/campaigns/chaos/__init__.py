"""The service under fire: real servers and workers, killed and paused at random, then every user checked.

One number, the seed, decides the events, the faults and their order; the clock decides where they meet.
"""
