"""The errors that a user may see, under one root.

Each subclass stands for one cause. It keeps its data in fields. Its message says in one sentence what is
wrong, where, and what to do. A command ends with the error's `exit_code`.
"""

import errno

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The numbers of the operating system's errors that leave no room for an output."""
_MOST_SHOWN = 200


class SegueError(Exception):
    """The root of all errors that a command reports in one sentence, without a traceback."""

    exit_code = 1


def _cut(text: str) -> str:
    """The beginning of a text, so that a sentence with it stays one."""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


class BadSetting(SegueError):
    """A setting or an option has a value that cannot be used."""

    exit_code = 2

    def __init__(self, name: str, value: object, fix: str) -> None:
        super().__init__(f"setting {name} is {_cut(repr(value))}: {fix}")
        self.name, self.value, self.fix = name, value, fix


class BadClientOptions(BadSetting):
    """Kafka's client refuses an option. The message leaves out the value, because it may be a password."""

    def __init__(self, reason: str) -> None:
        SegueError.__init__(self, f"setting kafka_options is refused by Kafka's client: {reason}")
        self.name, self.value, self.fix = "kafka_options", None, reason


class BadVariable(SegueError):
    """An environment variable has the prefix of the settings, but no setting has its name.

    The message leaves out the value, because it may be a password.
    """

    exit_code = 2

    def __init__(self, name: str, fix: str) -> None:
        super().__init__(f"the environment variable {name} is no setting: {fix}")
        self.name, self.fix = name, fix


class NotInstalled(SegueError):
    """A command needs a package of an extra that is not installed."""

    exit_code = 10


class BadWarehouse(SegueError):
    """The warehouse's tables cannot be used: a table or column is missing, or no usable row is left."""

    exit_code = 3


class BadSource(BadWarehouse):
    """An option or a setting names the warehouse or its tables wrongly: its URL, its path or a query."""

    exit_code = 2


class BadTraining(SegueError):
    """The usable rows cannot be segmented: there are too few users, or a feature is constant."""

    exit_code = 3


class NotContinued(BadTraining):
    """The settings differ from the current release, so a training cannot continue it."""

    exit_code = 2


class BadRelease(SegueError):
    """A release cannot be used: it has another schema, a wrong hash, or a number that is not finite."""

    exit_code = 4


class Refused(SegueError):
    """A release would move too many users: only a person may decide to publish it."""

    exit_code = 11


class BadChange(SegueError):
    """This version cannot read a record of ``segment-changes`` or ``user-segments``."""

    exit_code = 4


class Unreachable(SegueError):
    """Kafka or Redis does not answer."""

    exit_code = 5


class LoginRefused(Unreachable):
    """Kafka or Redis refuses the login. A command ends; a worker waits until the login is accepted."""


class Unusable(Unreachable):
    """Redis answers, but cannot be used: its ACL forbids a command, or it is a cluster.

    A command ends. A running worker waits, as for :class:`LoginRefused`, but a worker does not start.
    """

    exit_code = 8


class BadTopics(SegueError):
    """The topics cannot be used together: one is missing, or partition counts or partitioners differ."""

    exit_code = 6


class NeedsRebuild(SegueError):
    """The log and Redis together no longer hold every user's state; an operator must decide what to do."""

    exit_code = 7


class BadStore(SegueError):
    """Redis is set up so that it may lose states, or so that a worker cannot use it."""

    exit_code = 8


class NoRoom(SegueError):
    """The disk is full: an output, or data that does not fit into memory, cannot be written."""

    exit_code = 74


class BadEvent(SegueError):
    """An input record cannot be applied; it becomes a dead letter with this message as its reason."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path, self.problem = path, problem
