"""The console: pages and an HTTP API over Kafka and Redis, in a process of its own. It only reads, but
for people with the write token.

    facts/       what is shown: users, segments, drift, releases, the state of the lanes
    viewers/     the changes as they happen, from one reader to all viewers
    shown/       the facts in the form of the pages
    actions/     what people with the write token may do
    access/      who may read and write
    web/         the pages, the API and their errors

    console_app.py   puts them together
    run_console.py   listens and serves until a signal

Nothing is computed a second time here: the facts come from what the commands call.
"""
