"""A past in a warehouse for a bootstrap: facts up to a time, some of them also in the log."""

from schemas.input_events import Event, Order, Signup
from tests.campaigns.simulation.check import read_event
from tests.campaigns.simulation.events import Producers
from tests.campaigns.simulation.world import SimWorld


def give_a_past(world: SimWorld) -> None:
    """Give a world facts in the warehouse, some also in the log; the log continues among the shared facts."""
    random, producers = world.random, Producers(world, world.random)
    facts: list[Event] = [producers.fact() for _ in range(random.randint(0, 6))]
    for _ in range(random.randint(0, 6)):
        world.say(f"written: {producers.write_fact()}")
    for topic in world.topics.sources:
        for record in world.records(topic):
            event = world.event(record) if world.topics.rekey else read_event(world, record)
            if event is not None:
                facts.append(event)
    world.warehouse = sorted(
        (fact for fact in facts if isinstance(fact, Signup | Order)), key=lambda fact: fact.user_id
    )
    for partition in range(world.partitions):
        ends = {topic: len(world.kafka.topics[topic].partitions[partition]) for topic in world.topics.inputs}
        world.starts[partition] = {topic: random.randint(0, end) for topic, end in ends.items()}
    world.ledger.begins_with(world.warehouse, world.starts)
    world.say(f"the warehouse has {world.warehouse}, and the log goes on at {world.starts}")
