"""`segue worker --processes N`: a parent, and N processes that are each an ordinary worker of the group.

run_processes.py  the parent: starts the processes, waits for the first end, ends all
child_process.py  the parent's side of a process
child_worker.py   the process itself
child_pages.py    gives a process's pages to the parent, and ends the process if the parent is gone
merged_pages.py   the pages of all processes as one worker's
"""
