"""Measures the time from an event to its change at given rates: `make bench-latency`.

send_at_rate.py  the load: an open loop      measure_latency.py  one way at one rate
"""
