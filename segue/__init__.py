"""The command, its settings, the demo, and the local services.

Folders:

    cli/       one file for each command        config/    settings
    events/    sending events, dead letters     refill/    bootstrap, rebuild, replay, verify
    releases/  training, publishing             look/      one user
    doctor/    what is wrong, and the next step
    subscribe/ changes for programs
    connect/   how commands reach Kafka, Redis and the release in use
    show/      texts for a terminal             demo/      the whole service, live
    services/  a Kafka and a Redis to try it    up/        run both, with data that stay
    flow/      the moves by hour, counted       processes/ several workers as one command
    data/      the demo's shop
"""
