"""Generate the AsyncAPI 3.0 document: channels, operations and messages, with keys, headers and policies.

The operations are those of Segue: it *receives* the inputs and *sends* the outputs. Source: AsyncAPI 3.0.0,
and its Kafka bindings 0.5.0.
"""

from typing import Any

from schemas.documents.json_schemas import DIALECT
from schemas.outputs import headers
from schemas.outputs.trace_context import TRACEPARENT
from schemas.topics import (
    MAX_DEAD_LETTER_BYTES,
    MAX_INPUT_BYTES,
    MODELS_CURRENT_KEY,
    Topics,
    topic_configs,
)

JsonObject = dict[str, Any]

# The version of the contract, not of the program. The first number rises if a reader or a producer must
# change.
CONTRACT_VERSION = "1.0.0"
BINDING = "0.5.0"
SCHEMA_FORMAT = f"application/schema+json;version={DIALECT.split('/')[-2]}"

_USER_ID_KEY = {"type": "string", "description": "The user id as text, in UTF-8."}
_LANES = (
    "signups, orders, segment-changes and user-segments have equal partition counts, which are fixed. A"
    " record's partition is the murmur2 hash of its key, as in Java's and aiokafka's producers (librdkafka:"
    " partitioner=murmur2_random), or librdkafka's CRC32 with the setting `partitioner`."
)
_NAMES = "Values are JSON in UTF-8. The setting `topic_prefix` adds a prefix to the topic names below."


def asyncapi() -> JsonObject:
    """Return the document, with topic names without a prefix."""
    messages = {**_input_messages(), **_change_messages(), **_model_messages(), **_dead_letter_message()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Segue",
            "version": CONTRACT_VERSION,
            "description": f"Keeps every customer's segment right, live. {_NAMES} {_LANES}",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": headers.CONTENT_TYPE,
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": messages, "messageTraits": {"cloudEvent": _cloud_event_trait()}},
    }


def _channels() -> JsonObject:
    topics = Topics()
    return {
        "signups": _channel(
            topics.signups,
            f"Users' profiles, and erasures of users. A value has at most {MAX_INPUT_BYTES:,} bytes.",
            ("signup", "userErased", "userErasedByNull"),
        ),
        "orders": _channel(
            topics.orders,
            f"Orders, each version with all its items. A value has at most {MAX_INPUT_BYTES:,} bytes.",
            ("order",),
        ),
        "segmentChanges": _channel(
            topics.changes,
            "Every change of a user's segment, exactly once with isolation.level=read_committed.",
            ("segmentChange", "userErasedChange"),
        ),
        "userSegments": _channel(
            topics.users,
            "The newest change of every user; null after an erasure.",
            ("segmentChange", "userSegmentErased"),
        ),
        "segmentModels": _channel(
            topics.models,
            "The published releases, and the current release. One partition.",
            ("modelRelease", "modelActivation", "bootstrap"),
            partitions=1,
        ),
        "deadLetters": _channel(
            topics.dead_letters,
            f"Inputs that cannot be applied. A record has at most {MAX_DEAD_LETTER_BYTES:,} bytes; larger"
            " inputs are cut.",
            ("deadLetter",),
        ),
    }


def _channel(topic: str, description: str, messages: tuple[str, ...], **binding: int) -> JsonObject:
    config: JsonObject = {}
    for name, value in topic_configs(Topics())[topic].items():
        if name != "compression.type":  # not in the binding
            config[name] = [value] if name == "cleanup.policy" else int(value)
    return {
        "address": topic,
        "description": description,
        "messages": {name: _ref("components", "messages", name) for name in messages},
        "bindings": {
            "kafka": {"topic": topic, **binding, "topicConfiguration": config, "bindingVersion": BINDING}
        },
    }


def _operations() -> JsonObject:
    return {
        "readSignups": _operation("receive", "signups", "The worker folds them into the users' states."),
        "readOrders": _operation("receive", "orders", "The worker folds them into the users' states."),
        "tellSegmentChanges": _operation(
            "send", "segmentChanges", "In one transaction with the offsets of the inputs that caused them."
        ),
        "tellUserSegments": _operation(
            "send", "userSegments", "In the same transaction as the change; bootstrap writes here, too."
        ),
        "publishModels": _operation("send", "segmentModels", "publish, rollback and bootstrap write here."),
        "readModels": _operation(
            "receive", "segmentModels", "Every worker reads all of it before its first event."
        ),
        "tellDeadLetters": _operation(
            "send", "deadLetters", "In one transaction with the offsets of the refused inputs."
        ),
    }


def _operation(action: str, channel: str, summary: str) -> JsonObject:
    return {"action": action, "channel": _ref("channels", channel), "summary": summary}


def _input_messages() -> JsonObject:
    return {
        "signup": _message("Signup", "A user's profile, whole or in part.", "signup"),
        "userErased": _message("UserErased", "The user asked to be forgotten.", "user-erased"),
        "userErasedByNull": _null_message(
            "UserErasedByNull", "The user asked to be forgotten, as of the record's time."
        ),
        "order": _message("Order", "One version of an order, with all its items.", "order"),
    }


def _change_messages() -> JsonObject:
    event = {"traits": [_ref("components", "messageTraits", "cloudEvent")]}
    erased_at = {"type": "string", "format": "date-time"}
    traced = {
        TRACEPARENT: {
            "type": "string",
            "description": "On segment-changes, if the event had it: the W3C trace context.",
        },
    }
    of_erasure = {
        "type": "object",
        "properties": {
            headers.POSITIONS: {
                "type": "string",
                "description": "JSON: by input topic, the lane's next offset just after the cause.",
            },
            headers.ERASED_AT: erased_at
            | {"description": "The time of the erasure: facts up to it never count again."},
        },
    }
    of_segment = {
        "type": "object",
        "properties": {
            headers.MODELS_TOPIC: {
                "type": "string",
                "description": "On user-segments: the id of the topic of releases; `activation` is an"
                " offset in it.",
            },
            headers.ERASED_AT: erased_at
            | {"description": "On user-segments, for a user who came back: the time of the last erasure."},
            **traced,
        },
    }
    erased = _null_message("UserSegmentErased", "The user is erased and has no segment.")
    return {
        "segmentChange": _message("SegmentChange", "A user's segment.", "segment-change")
        | {"headers": of_segment}
        | event,
        "userErasedChange": _message(
            "UserErasedChange", "The last change of an erased user.", "user-erased-change"
        )
        | {"headers": {"type": "object", "properties": traced}}
        | event,
        "userSegmentErased": erased | {"headers": of_erasure} | event,
    }


def _model_messages() -> JsonObject:
    event = {"traits": [_ref("components", "messageTraits", "cloudEvent")]}
    current = {"const": MODELS_CURRENT_KEY}
    version_key = {"type": "string", "description": "The release's version."}
    created_at = {"type": "string", "format": "date-time", "description": "When the release was made."}
    made = {"headers": {"type": "object", "properties": {headers.CREATED_AT: created_at}}}
    return {
        "modelRelease": _message("ModelRelease", "A release, as published.", "model-release", version_key)
        | made
        | event,
        "modelActivation": _message(
            "ModelActivation",
            "The release that scores from now on; the activation's number is this record's offset.",
            "model-release",
            current,
        )
        | made
        | event,
        "bootstrap": {
            "name": "Bootstrap",
            "summary": "A warehouse gave all users' states as of a time; the log continues from there.",
            "payload": _BOOTSTRAP,
            "bindings": _key({"const": "bootstrap"}),
        },
    }


_BOOTSTRAP = {
    "type": "object",
    "properties": {
        "at": {"type": "string", "format": "date-time"},
        "places": {
            "type": "object",
            "description": "By lane and input topic, the offset from which the log continues.",
            "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "snapshot": {"type": ["string", "null"], "description": "In records of old versions."},
    },
    "required": ["at", "places"],
}


def _dead_letter_message() -> JsonObject:
    number, text = {"type": "string", "pattern": "^[0-9]+$"}, {"type": "string"}
    properties = {
        headers.REASON: text | {"description": "What is wrong, in one sentence."},
        headers.TOPIC: text | {"description": "The record's topic."},
        headers.PARTITION: number,
        headers.OFFSET: number,
        headers.TIMESTAMP_MS: text | {"description": "The record's time, milliseconds since 1970."},
        headers.VALUE_BYTES: number | {"description": "The value was cut; the original length."},
        headers.VALUE_SHA256: text
        | {"description": "The value was cut; the original SHA-256, lowercase hex."},
        headers.KEY_BYTES: number | {"description": "The key was cut; the original length."},
        headers.KEY_SHA256: text | {"description": "The key was cut; the original SHA-256, lowercase hex."},
        headers.HEADERS_DROPPED: number | {"description": "How many original headers were dropped."},
    }
    required = [headers.REASON, headers.TOPIC, headers.PARTITION, headers.OFFSET, headers.TIMESTAMP_MS]
    return {
        "deadLetter": {
            "name": "DeadLetter",
            "summary": "A refused input: key, value and headers as they came, and the reason.",
            "contentType": "application/octet-stream",
            "headers": {"type": "object", "properties": properties, "required": required},
            "payload": {"description": "Any bytes, as they came."},
            "bindings": _key({"description": "Any bytes, as they came."}),
        }
    }


def _cloud_event_trait() -> JsonObject:
    text = {"type": "string"}
    properties: JsonObject = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": text | {"description": "The change's event_id; for a release, a unique text."},
        "ce_type": text | {"description": "segue.segment.<kind>, segue.model.published or .activated."},
        "ce_source": text | {"description": "/segue/ and the topics' prefix."},
        "ce_time": text | {"format": "date-time", "description": "When it happened."},
        "ce_subject": text | {"description": "The user id, or the release's version."},
        "content-type": {"const": headers.CONTENT_TYPE},
    }
    return {
        "name": "CloudEvent",
        "summary": "CloudEvents 1.0 in Kafka's binary mode.",
        "headers": {"type": "object", "properties": properties, "required": list(properties)},
    }


def _message(name: str, summary: str, file: str, key: JsonObject | None = None) -> JsonObject:
    return {
        "name": name,
        "summary": summary,
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"./json/{file}.schema.json"}},
        "bindings": _key(key or _USER_ID_KEY),
    }


def _null_message(name: str, summary: str) -> JsonObject:
    return {"name": name, "summary": summary, "payload": {"type": "null"}, "bindings": _key(_USER_ID_KEY)}


def _key(schema: JsonObject) -> JsonObject:
    return {"kafka": {"key": schema, "bindingVersion": BINDING}}


def _ref(*path: str) -> JsonObject:
    return {"$ref": "#/" + "/".join(path)}
