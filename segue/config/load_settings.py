"""Reads the settings from their sources, and says where a wrong value stands and what to do about it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from schemas.errors import BadSetting, BadVariable
from segue.config.file_options import check_file_options
from segue.config.setting_texts import brokers, is_kubernetes_variable, without_password
from segue.config.settings import ENV_PREFIX, Settings

DEFAULT_FILE = Path("segue.toml")
FILE_VARIABLE = "SEGUE_CONFIG"
TOKEN_VARIABLE = "SEGUE_CONSOLE_TOKEN"  # noqa: S105 - the name of a variable
WRITE_TOKEN_VARIABLE = "SEGUE_CONSOLE_WRITE_TOKEN"  # noqa: S105
_OTHER_VARIABLES = (FILE_VARIABLE, TOKEN_VARIABLE, WRITE_TOKEN_VARIABLE)
_TEST_PREFIX = "TEST_"


def load_settings(
    file: Path | None = None,
    options: Mapping[str, object] | None = None,
    allowed_kafka_options: Collection[str] = (),
) -> Settings:
    """Read and check the settings.

    Args:
        file: the settings file; None means the file in ``SEGUE_CONFIG``, else ``segue.toml`` if it exists.
        options: values of the command's options, by setting; a value of None means that the option was not
            given.
        allowed_kafka_options: options of librdkafka that the file may set, though they may not be harmless.

    Raises:
        BadSetting: a value cannot be used, or the file cannot be read.
        BadVariable: a variable begins with ``SEGUE_`` and is not a setting.
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    path = file or _file_from_environment() or _file_here()
    table = {} if path is None else _read(path)
    _check_variables()
    stronger = {**EnvSettingsSource(Settings)(), **given}
    try:
        settings = Settings.model_validate({**table, **stronger})
    except ValidationError as error:
        raise _setting_error(error.errors()[0], given, table, path) from None
    if path is not None and "kafka_options" not in stronger:
        check_file_options(settings.kafka_options, allowed_kafka_options, path)
    _check_protocol(settings)
    return settings


def _check_variables() -> None:
    """Check that every variable with our prefix is a setting.

    A misspelled variable would leave the default in force.
    """
    known = {name.upper() for name in Settings.model_fields}
    known |= {name.removeprefix(ENV_PREFIX) for name in _OTHER_VARIABLES}
    for name, value in os.environ.items():
        ours = name.upper().removeprefix(ENV_PREFIX)
        if ours == name.upper() or not value:
            continue
        if ours in known:
            if name != name.upper():
                raise BadVariable(name, f"write it in capitals, {name.upper()}")
            continue
        if ours.startswith(_TEST_PREFIX) or is_kubernetes_variable(name.upper(), value):
            continue
        near = get_close_matches(ours, known, 1)
        fix = f"did you mean {ENV_PREFIX}{near[0]}?" if near else "docs/settings.md lists the settings"
        raise BadVariable(name, fix)


def _check_protocol(settings: Settings) -> None:
    """Check that every broker's protocol is the clients' protocol: librdkafka ignores other brokers."""
    protocol = settings.kafka_options.get("security.protocol", "plaintext").lower()
    for server in brokers(settings.kafka):
        if server.protocol not in ("", protocol):
            fix = (
                f"leave out {server.protocol.upper()}://, or set security.protocol to it in kafka_options;"
                f" it is {protocol}"
            )
            raise BadSetting("kafka", settings.kafka, fix)


def _file_from_environment() -> Path | None:
    named = os.environ.get(FILE_VARIABLE)
    return Path(named) if named else None


def _file_here() -> Path | None:
    """Return the working directory's settings file; None if there is no file.

    A file that cannot be read is returned, too: :func:`_read` then says why.
    """
    try:
        DEFAULT_FILE.stat()
    except FileNotFoundError:
        return None
    except OSError:
        pass
    return DEFAULT_FILE


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadSetting(
            "config",
            str(path),
            f"the file cannot be read ({error.strerror}): make it readable, or name another by --config",
        ) from None
    except UnicodeDecodeError:
        raise BadSetting("config", str(path), "the file is not UTF-8: save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BadSetting("config", str(path), f"the file is not TOML ({error})") from None


def _setting_error(
    error: ErrorDetails, options: Mapping[str, object], table: Mapping[str, object], path: Path | None
) -> BadSetting:
    name = str(error["loc"][0])
    variable = f"{ENV_PREFIX}{name.upper()}"
    if error["type"] == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, 1)
        fix = f"did you mean {near[0]}?" if near else "docs/settings.md lists the settings"
        return BadSetting(f"{name} (in {path})", table.get(name), f"there is no such setting, {fix}")
    value: object
    if name in options:
        origin, value = f"option --{name.replace('_', '-')}", options[name]
    elif os.environ.get(variable):
        origin, value = variable, os.environ[variable]
    else:
        origin, value = str(path), table.get(name)
    if name in ("kafka_options", "schema_registry_options"):
        value = "not usable"  # it may hold a password
    elif name == "redis" or (name in ("kafka", "schema_registry") and "@" in str(value)):
        value = without_password(str(value))
    return BadSetting(f"{name} (from {origin})", value, _fix(error))


def _fix(error: ErrorDetails) -> str:
    """Return what to do about pydantic's error, as an instruction."""
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "greater_than_equal":
            return f"give at least {context['ge']}"
        case "less_than_equal":
            return f"give at most {context['le']}"
        case "literal_error":
            return f"use {context['expected'].replace(chr(39), '')}"
        case "string_too_short":
            return "it cannot be empty"
        case kind if kind.startswith("bool_"):
            return "give true or false"
        case kind if kind.startswith("int_"):
            return "give a whole number"
        case kind if kind.startswith("float_"):
            return "give a number, such as 0.05"
        case _:
            return "give text, in quotes"
