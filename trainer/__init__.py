"""Trains and publishes releases from a warehouse.

Folders:

    train.py    all steps of a training         fit.py      the fitted pipeline
    warehouse/  tables, queries, one file for each kind of warehouse
    steps/      rows, encoding, scaling, clustering
    controls/   figures and checks of a fit      names/      names of the segments
    release/    the release's folder and numbers, the comparison with the release in use
    publish/    publishing and rolling back      report/     report.json and report.html
"""
