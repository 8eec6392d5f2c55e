"""The process that runs triggers: its topics, its lanes and the dead letters."""
