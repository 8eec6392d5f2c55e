from segue.config.settings import Settings
from segue.console.facts.lanes_without_place import lanes_without_place


def test_the_lanes_and_the_prefix_are_named() -> None:
    settings = Settings(redis_prefix="wrong:")
    assert lanes_without_place([], settings) is None
    one = lanes_without_place([2], settings)
    assert one is not None
    assert one.startswith("lane 2 has no place in Redis under the prefix 'wrong:', so users are missing here")
    two = lanes_without_place([0, 1], settings)
    assert two is not None
    assert two.startswith("lanes 0, 1 have no place")
