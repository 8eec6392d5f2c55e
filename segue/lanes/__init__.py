"""The lanes that a consumer group assigns to a process of its own, such as `segue triggers run`."""
