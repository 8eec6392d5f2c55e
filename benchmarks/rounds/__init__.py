"""The rounds of `make bench`: each way in turn, and what each used.

known_ways.py     the ways                    run_program.py   one program
run_worker.py     Segue's worker              measure_run.py   one run of one way
fill_shop.py      the users of a steady shop  take_rounds.py   all ways and rounds
compare_users.py  the results                 bench_tables.py  what is printed
"""
