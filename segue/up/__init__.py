"""`segue up`: a Kafka and a Redis for development, whose data stay in a folder.

up_folder.py   the folder: its marker, its lock, the ports that it remembers
up_ports.py    the ports for this run
run_up.py      start both, create the topics, wait for ctrl-C
"""
