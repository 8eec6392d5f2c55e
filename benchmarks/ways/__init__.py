"""Programs that do the work, each in its own process: `python -m benchmarks.ways.NAME JOB`.

    way_job.py          the job of a program, and how the program says that it is ready and done
    limit.py            a bare loop                article_each.py     the article, for each event
    quix.py             Quix Streams               bytewax_flow.py     Bytewax
    consume_commit.py   no work: consume, produce, commit

Quix Streams and Bytewax run in an environment of their own, so these programs import little.
"""
