"""From the warehouse to a published release.

Rooms:

    train.py    the whole of a training         fit.py      the fitted pipeline
    warehouse/  tables, queries, one file for each kind of warehouse
    steps/      rows, encoding, scaling, clustering
    controls/   how good a fit is, and what its segments are
    release/    the release's folder and numbers, and how it compares with the release in use
    publish/    publishing and rolling back      report/     report.json and report.html
"""
