"""The partition number of a user.

Java's producer, aiokafka and librdkafka's ``murmur2_random`` agree on murmur2; librdkafka's default is
CRC32. A user's signups and orders must have the same partition number, so all producers must use the same
hash.
Sources: Kafka ``org.apache.kafka.common.utils.Utils.murmur2``; librdkafka ``rdmurmur2.c`` and
``rd_kafka_msg_partitioner_consistent``.
"""

import zlib
from typing import Literal

Partitioner = Literal["murmur2", "crc32"]

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return Kafka's 32-bit murmur2 hash of a key, as an unsigned number."""
    length = len(key)
    h = 0x9747B28C ^ length
    body = length & ~3
    for i in range(0, body, 4):
        k = int.from_bytes(key[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if tail := key[body:]:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


def partition_of(user_id: str, partitions: int, partitioner: Partitioner = "murmur2") -> int:
    """Return the partition number of a user, from 0 to ``partitions - 1``.

    >>> partition_of("foobar", 4), partition_of("foobar", 4, "crc32")
    (2, 1)
    """
    key = user_id.encode()
    if partitioner == "murmur2":
        return (murmur2(key) & 0x7FFFFFFF) % partitions
    return zlib.crc32(key) % partitions


def librdkafka_name(partitioner: Partitioner) -> str:
    """Return the value of librdkafka's ``partitioner`` option that agrees with :func:`partition_of`."""
    return "murmur2_random" if partitioner == "murmur2" else "consistent_random"
