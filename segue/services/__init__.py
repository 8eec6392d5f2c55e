"""Finds or starts the Kafka and the Redis that the demo and the tests use.

`find_services` tries, in this order: the addresses in the settings, a Docker engine, servers started on this
machine. Where it finds no servers it gives `NoServices`, which says why and what to install. Tests that kill
servers use `LocalKafka` and `LocalRedis` themselves. `segue up` starts both for development.

    service_search.py   the order                      found_services.py   what the search gives
    containers.py       through a Docker engine        start_local.py      both on this machine
    system_packages.py  missing system packages
    local/              a Kafka and a Redis on this machine
    programs/           Kafka's jars from Maven, the redis-server, the cache of downloads
    process/            one server process, its ports, and the watchman that ends it when we die
"""

from segue.services.found_services import KafkaService, NoServices, RedisService, Services
from segue.services.local.local_kafka import LocalKafka
from segue.services.local.local_redis import LocalRedis
from segue.services.process.service_trouble import ServiceTrouble
from segue.services.service_search import find_services
from segue.services.start_local import start_kafka, start_redis

__all__ = [
    "KafkaService",
    "LocalKafka",
    "LocalRedis",
    "NoServices",
    "RedisService",
    "ServiceTrouble",
    "Services",
    "find_services",
    "start_kafka",
    "start_redis",
]
