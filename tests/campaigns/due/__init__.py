"""Many users come due on one day, while live events go on: how fast, and how long the events wait."""
