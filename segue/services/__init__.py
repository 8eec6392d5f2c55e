"""Finds or starts the Kafka and the Redis that the demo and the tests use.

`find_services` tries, in this order: the addresses that the settings name, a Docker engine, servers
started on this machine. Where none can be had it yields `NoServices`, which says why and what to install.
Tests that kill servers use `LocalKafka` and `LocalRedis` themselves; `segue services` starts both on the usual ports.

    find.py             the order
    found.py            what is handed out
    containers.py       through a Docker engine
    local_kafka.py      Apache Kafka in a JVM          local_redis.py    redis-server
    kafka_jars.py       its jars, from Maven           redis_program.py  which redis-server
    kafka_config.py     its configuration              lock_jars.py      pins those jars
    local_server.py     what both have in common   start_local.py    both, with what they need installed first
    answers.py          does a server answer?          waiting.py        until a condition holds
    process.py          one server process             ports.py          ports to listen on
    guard.py            nothing outlives us            watchman.py       the process that sees to it
    system.py           missing system packages        cache.py          where downloads are kept
"""

from segue.services.service_search import find_services
from segue.services.found_services import KafkaService, NoServices, RedisService, Services
from segue.services.local.local_kafka import LocalKafka
from segue.services.local.local_redis import LocalRedis
from segue.services.start_local import start_kafka, start_redis
from segue.services.process.service_trouble import ServiceTrouble

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
