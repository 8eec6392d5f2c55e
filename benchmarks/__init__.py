"""Measures the figures of the documentation, each beside an alternative in the same run.

bare/     the least that gives Segue's outputs     stage/    servers, inputs, accounts, results
ways/     a program for each way                   rounds/   `make bench`: all ways in turn
latency/  `make bench-latency`                     parts/    `make bench-parts`
console/  `make bench-console`                run_bench.py  errors and ctrl-C of all
training.py  `make bench-train`, with shop.py and article.py      thelook.py  the fitted model
"""
