"""Why a lane stops what it does and takes itself over again."""


class InDoubt(Exception):
    """What the lane believes may no longer hold: a commit failed or its answer is unknown, a save was
    refused, or the place in Redis is another's. The lane forgets what it decided and takes over.
    """


class Fenced(InDoubt):
    """Another producer has taken this lane's transactional id."""


class NotReady(Exception):
    """The lane cannot go on yet, for a reason that time or an operator removes; it waits visibly."""


class LaneClosing(Exception):
    """The lane was asked to close while it healed; whoever opens it next goes on from its last save."""
