"""`segue demo`: the whole service on a shop's data, live, with what it did told at the end.

run_demo.py         the order of things
story.py            what is played
stage.py            where it is played: what a stage does
kafka_stage.py      on Kafka and Redis, with a worker in a process of its own
worker_process.py   that worker
memory_stage.py     in one process, where Kafka and Redis cannot be had
tally.py            what is counted
demo_view.py        what is seen while it plays
demo_picture.py     the picture of one moment, at a terminal
demo_summary.py     what it prints at the end
"""
