"""The setting ``redis`` as a URL: one server, or a Redis Cluster. Nothing here needs a client of Redis."""

from urllib.parse import unquote, urlsplit

CLUSTER_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
"""By scheme of a cluster, the scheme of each of its nodes."""

_PORT = 6379


def is_cluster(url: str) -> bool:
    """Whether the URL names a Redis Cluster.

    >>> is_cluster("rediss+cluster://a:7000,b:7000"), is_cluster("redis://a:7000")
    (True, False)
    """
    return url.partition("://")[0].lower() in CLUSTER_SCHEMES


def node_urls(url: str) -> list[str]:
    """The URLs of the nodes that a cluster's URL names; each has the login and the options of all.

    >>> node_urls("redis+cluster://me:secret@a:7000,b/0")
    ['redis://me:secret@a:7000/0', 'redis://me:secret@b/0']
    >>> node_urls("redis://a:7000")
    ['redis://a:7000']
    """
    if not is_cluster(url):
        return [url]
    scheme, _, rest = url.partition("://")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    login, mark, hosts = rest[:end].rpartition("@")
    of_node = CLUSTER_SCHEMES[scheme.lower()]
    return [f"{of_node}://{login}{mark}{host}{rest[end:]}" for host in hosts.split(",")]


def address_of(url: str) -> str:
    """Where a client connects to, without login and options.

    >>> address_of("redis+cluster://me:secret@a:7000,b/0"), address_of("unix:///run/redis.sock?db=1")
    ('a:7000,b:6379', '/run/redis.sock')
    """
    parts = [urlsplit(node) for node in node_urls(url)]
    if parts[0].scheme == "unix":
        return unquote(parts[0].path)
    return ",".join(f"{unquote(at.hostname or 'localhost')}:{at.port or _PORT}" for at in parts)
