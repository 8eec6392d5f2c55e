"""Takes the pictures of the documents from a real run: Kafka, Redis, a worker, the console and Chromium.

real_run.py       trains, publishes, starts a worker and a console, sends a month's events, and rehearses
take_pictures.py  opens the pages, light and dark, on a telephone and on a screen
take_demo.py      draws what `segue demo` prints
"""
