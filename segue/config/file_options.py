"""The options of librdkafka that a settings file may set without permission from the command line.

A command reads `segue.toml` from the folder in which it runs, and another person may own this folder. Some
options run a program, load a library, write a file or send a file to an address. The user who runs the
command must allow these options. A settings file may name certificate and key files: librdkafka reads them in
place, and they never leave the machine.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from schemas.errors import BadSetting

FROM_A_FILE = frozenset(
    {
        # The login and TLS
        "enable.ssl.certificate.verification",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.password",
        "sasl.username",
        "security.protocol",
        "ssl.ca.location",
        "ssl.ca.pem",
        "ssl.certificate.location",
        "ssl.certificate.pem",
        "ssl.cipher.suites",
        "ssl.curves.list",
        "ssl.endpoint.identification.algorithm",
        "ssl.key.location",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.sigalgs.list",
        # Names and the network
        "broker.address.family",
        "broker.address.ttl",
        "client.dns.lookup",
        "client.id",
        "client.rack",
        "connections.max.idle.ms",
        "metadata.max.age.ms",
        "reconnect.backoff.max.ms",
        "reconnect.backoff.ms",
        "request.timeout.ms",
        "retry.backoff.max.ms",
        "retry.backoff.ms",
        "socket.connection.setup.timeout.ms",
        "socket.keepalive.enable",
        "socket.nagle.disable",
        "socket.receive.buffer.bytes",
        "socket.send.buffer.bytes",
        "socket.timeout.ms",
        "topic.metadata.refresh.interval.ms",
        # Sizes
        "batch.num.messages",
        "batch.size",
        "compression.codec",
        "compression.level",
        "compression.type",
        "fetch.max.bytes",
        "fetch.message.max.bytes",
        "fetch.min.bytes",
        "fetch.wait.max.ms",
        "linger.ms",
        "max.partition.fetch.bytes",
        "message.max.bytes",
        "queue.buffering.max.ms",
        "queued.max.messages.kbytes",
        "queued.min.messages",
        "receive.message.max.bytes",
        # The client's own log
        "debug",
        "log.connection.close",
        "log_level",
    }
)


def check_file_options(options: Mapping[str, str], allowed: Collection[str], file: Path) -> None:
    """Check that a settings file sets only harmless options and options that the command line allows.

    Args:
        options: librdkafka's options from the file.
        allowed: names of further options that the user allowed with ``--allow-kafka-option``.
        file: the settings file, for the message.

    Raises:
        BadSetting: the file sets another option. The error names the first such option.
    """
    for name in options:
        if name not in FROM_A_FILE and name not in allowed:
            quoted = json.dumps(name)  # as TOML has it, and safe for a terminal
            raise BadSetting(
                f"kafka_options.{quoted} (from {file})",
                "set",
                "a settings file cannot set it by itself, since not every option of librdkafka is harmless:"
                f" give it in SEGUE_KAFKA_OPTIONS, or allow it with --allow-kafka-option {quoted}",
            )
