"""A Confluent Schema Registry: parses framed values by their schemas,
with confluent-kafka's deserializers.
"""

from collections.abc import Mapping
from typing import Any

from confluent_kafka.schema_registry import RegisteredSchema, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from schemas.errors import BadEvent, LoginRefused, Unreachable
from schemas.inputs import json_text
from schemas.inputs.forms.framed_values import as_json, schema_id

TIMEOUT_S = 5.0
# The lane asks again by itself.
_ONCE = {"timeout": TIMEOUT_S, "max.retries": 0}
# The registry's own codes: no such subject, version or schema. A wrong address or a proxy answers 404
# without.
_NO_SCHEMA = (40401, 40402, 40403)
_LOGIN = (401, 403)
# The frame names the schema. A subject would only be asked for rules, with more calls to the registry.
_NO_SUBJECT = {"subject.name.strategy": lambda _context, _record: None}
_VALUE = SerializationContext("", MessageField.VALUE)


class SchemaRegistry:
    """Parses framed values; any thread may call. The client keeps every schema that it has read.

    Args:
        url: the registry's address.
        options: the client's options: a login, certificates.

    A call returns the value as JSON would give it. It raises:
        BadEvent: the value does not fit its schema, or the registry has no such schema.
        Unreachable: the registry does not answer, or refuses the login.
    """

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        self._client = _Client(url, {**options, "url": url, **_ONCE})
        self._avro = AvroDeserializer(self._client, conf=_NO_SUBJECT)
        # Segue checks the fields itself; a schema's own rules would refuse more than those of the contract.
        self._json = JSONDeserializer(
            None,
            schema_registry_client=self._client,
            conf={**_NO_SUBJECT, "validate": False},
            json_decode=json_text.load,
        )

    def __call__(self, value: bytes) -> object:
        number = schema_id(value)
        kind = self._client.get_schema(number).schema_type
        if kind not in ("AVRO", "JSON"):
            raise BadEvent("", f"schema {number} of the value is {kind}: only AVRO and JSON are read")
        try:
            return as_json(self._avro(value, _VALUE)) if kind == "AVRO" else self._json(value, _VALUE)
        except (BadEvent, Unreachable):
            raise
        except Exception as error:  # noqa: BLE001 - the libraries raise many kinds at bytes that do not fit
            said = str(error) or type(error).__name__
            raise BadEvent("", f"the value does not fit schema {number} ({said:.200})") from None


class _Client(SchemaRegistryClient):
    """The library's client, with errors that say whether the record or the registry is at fault."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        super().__init__(options)
        self._url = url

    def get_schema(self, schema_id: int, *arguments: Any, **named: Any) -> Schema:
        try:
            return super().get_schema(schema_id, *arguments, **named)
        except Exception as error:  # noqa: BLE001 - as in get_version
            raise self._error(f"schema {schema_id} of the value", error) from None

    def get_version(self, subject_name: str, *arguments: Any, **named: Any) -> RegisteredSchema:
        """Read a schema to which another one refers."""
        try:
            return super().get_version(subject_name, *arguments, **named)
        except Exception as error:  # noqa: BLE001 - the HTTP client's own errors, and no JSON from a proxy
            raise self._error(f"a schema of {subject_name}, to which the value's refers,", error) from None

    def _error(self, what: str, error: Exception) -> BadEvent | Unreachable:
        if not isinstance(error, SchemaRegistryError):
            reason = str(error) or type(error).__name__
            return Unreachable(f"the Schema Registry at {self._url} does not answer ({reason:.200})")
        if error.error_code in _NO_SCHEMA:
            return BadEvent("", f"{what} is not in the Schema Registry at {self._url}")
        if error.http_status_code in _LOGIN:
            return LoginRefused(
                f"the Schema Registry at {self._url} refuses the login: set basic.auth.user.info in"
                " schema_registry_options"
            )
        return Unreachable(f"the Schema Registry at {self._url} answers with {error.http_status_code}")
