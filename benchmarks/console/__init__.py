"""Measures what the console costs a worker: `make bench-console`.

console_process.py  the console as a process     watch_live_pages.py  a program: its viewers
measure_load.py     one run, with the console or without
"""
