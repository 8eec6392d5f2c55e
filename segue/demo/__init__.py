"""`segue demo`: play a shop's events on the whole service, live, and print a summary.

run_demo.py         the order of the steps
story.py            the history and the events
stage.py            the interface of a stage, which plays the events
kafka_stage.py      a stage on Kafka and Redis, with a separate worker process
worker_process.py   the worker process
memory_stage.py     a stage in one process, without Kafka and Redis
tally.py            the counts
demo_view.py        the display during the demo
demo_picture.py     one picture of the display
demo_summary.py     the summary at the end
"""
