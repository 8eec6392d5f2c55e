"""Programs that do the work, each in its own process: `python -m benchmarks.ways.NAME JOB`.

    way_job.py          what a program is told, and how it says that it is ready and done
    limit.py            a bare loop                article_each.py     the article, for each event
    quix.py             Quix Streams               bytewax_flow.py     Bytewax
    consume_commit.py   no work: consume, produce, commit

Quix Streams and Bytewax run in an environment of their own, so these programs import little.
"""
