"""What every way runs on: the servers, the two inputs, the backlog, and the accounts of the system.

bench_servers.py  a Kafka and a Redis     process_cpu.py    CPU time and memory of a process
shop_events.py    the two inputs          server_account.py what the servers did
open_backlog.py   events in an open transaction
read_results.py   the last segment of each user
"""
