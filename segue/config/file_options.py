"""Which of librdkafka's options a settings file may set by itself.

A command takes `segue.toml` from the folder that it runs in, which may be somebody else's. So an option that
runs a program, loads a library, writes a file or sends one to an address needs a word from who runs the command.
Files of certificates and keys are read in place and leave the machine in no way: settings files name them.
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
    """See that a settings file sets no option that it may not, but those allowed on the command line.

    Raises:
        BadSetting: it does; the first such option is named.
    """
    for name in options:
        if name not in FROM_A_FILE and name not in allowed:
            quoted = json.dumps(name)  # as TOML has it, and safe for a terminal
            raise BadSetting(
                f"kafka_options.{quoted} (from {file})",
                "set",
                "a settings file cannot set it by itself, since not every option of librdkafka is harmless: give it in"
                f" SEGUE_KAFKA_OPTIONS, or allow it with --allow-kafka-option {quoted}",
            )
