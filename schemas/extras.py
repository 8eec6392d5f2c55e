"""How to install an extra of Segue."""

import sys

_OF_WORKERS = frozenset({"aiokafka", "faust", "mode", "orjson", "prometheus_client", "redis", "uvloop"})
_OF_TRIGGERS = frozenset({"jinja2", "redis", "standardwebhooks", "urllib3"})


def is_of_workers(module: str | None) -> bool:
    """Return whether the extra ``worker`` brings a module.

    >>> is_of_workers("redis.cluster")
    True
    """
    return (module or "").partition(".")[0] in _OF_WORKERS


def extra_with(module: str | None, extra: str) -> str:
    """Return the extra to install for a module: this one, unless only the extra ``worker`` brings the module.

    >>> extra_with("redis.cluster", "trainer"), extra_with("redis.cluster", "triggers")
    ('worker', 'triggers')
    >>> extra_with("faust", "triggers")
    'worker'
    """
    brings = extra == "triggers" and (module or "").partition(".")[0] in _OF_TRIGGERS
    return "worker" if is_of_workers(module) and not brings else extra


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra. No package index has Segue, so it needs a clone.

    >>> how_to_install("trainer")
    "in a clone of Segue run: ...python... -m pip install '.[trainer]'"
    """
    return f"in a clone of Segue run: {sys.executable} -m pip install '.[{extra}]'"
