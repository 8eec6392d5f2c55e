"""One root for every error that a user may see.

Each subclass names one cause, keeps its data in fields and says in one sentence what is wrong,
where, and what to do. The exit code is what the command ends with.
"""


class SegueError(Exception):
    """Root of all errors that are reported in one sentence, never with a traceback."""

    exit_code = 1


class BadSetting(SegueError):
    """A setting or an option has a value that cannot be used."""

    exit_code = 2

    def __init__(self, name: str, value: object, fix: str) -> None:
        super().__init__(f"setting {name} is {value!r}: {fix}")
        self.name, self.value, self.fix = name, value, fix


class BadClientOptions(BadSetting):
    """An option of Kafka's client that it does not know or take; its value stays untold, since it may be a password."""

    def __init__(self, reason: str) -> None:
        SegueError.__init__(self, f"setting kafka_options is refused by Kafka's client: {reason}")
        self.name, self.value, self.fix = "kafka_options", None, reason


class BadVariable(SegueError):
    """A variable of the environment begins like a setting's, and is none. Its value stays untold: it may be a password."""

    exit_code = 2

    def __init__(self, name: str, fix: str) -> None:
        super().__init__(f"the environment variable {name} is no setting: {fix}")
        self.name, self.fix = name, fix


class NotInstalled(SegueError):
    """A command needs a package of an optional part of Segue."""

    exit_code = 10


class BadWarehouse(SegueError):
    """The warehouse's tables cannot be used: a table or column is missing, or nothing is left."""

    exit_code = 3


class BadTraining(SegueError):
    """The rows that remain cannot be segmented: too few users, a constant feature."""

    exit_code = 3


class BadRelease(SegueError):
    """A release's files or record cannot be used: another schema, a wrong hash, numbers that are none."""

    exit_code = 4


class Refused(SegueError):
    """A release may be published, but not without a person who says so: it would move too many users."""

    exit_code = 11


class BadChange(SegueError):
    """A record of ``segment-changes`` or ``user-segments`` is none that this version can read."""

    exit_code = 4


class Unreachable(SegueError):
    """Kafka or Redis does not answer."""

    exit_code = 5


class LoginRefused(Unreachable):
    """Kafka or Redis answers, and refuses the login: a command ends, a worker waits for another one to be granted."""


class Unusable(Unreachable):
    """Redis answers, and cannot be used as it is: its ACL forbids a command, or it is a cluster. As
    :class:`LoginRefused`, but a worker does not begin on it.
    """

    exit_code = 8


class BadTopics(SegueError):
    """The topics do not fit together: missing, unequal partition counts, another partitioner."""

    exit_code = 6


class NeedsRebuild(SegueError):
    """The log and Redis together no longer tell every user's state; an operator must decide."""

    exit_code = 7


class BadStore(SegueError):
    """Redis is not set up so that states survive in it, or that a worker can use it."""

    exit_code = 8


class NoRoom(SegueError):
    """The folder for temporary files does not take what a command cannot hold in memory."""

    exit_code = 74


class BadEvent(SegueError):
    """An input record that cannot be applied: it becomes a dead letter with this text as its reason."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path, self.problem = path, problem
