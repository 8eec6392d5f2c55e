"""`segue triggers` on real servers under faults: `make triggers-chaos`.

Two processes send the webhooks of a million changes. Meanwhile they, Kafka and the receiver are killed and
stopped, and the receiver fails, hangs, answers late and closes early. Then everything is compared with the
changes.
"""
