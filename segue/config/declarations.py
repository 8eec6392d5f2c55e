"""Checks the setting ``declare``, which adds features to the seven default ones."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import cast

from schemas.errors import BadSetting
from schemas.event_fields import FieldType
from schemas.features import COUNTED, RFM, Feature, FeatureEncoding, FeatureKind, declared

_FIELDS = ("kind", "source", "type", "encoding", "log", "quantile", "window")
_WINDOW = re.compile("([0-9]{1,6})d")
# By feature name, what the declaration says.
Declarations = dict[str, dict[str, str | bool | int]]

PRESET_FEATURES: dict[str | None, tuple[Feature, ...]] = {"rfm": RFM}
"""By preset, the features that it declares, which are the model's if no others are set."""

_EXAMPLE = '{ kind = "sum", source = "order_value" }'
_OF_TIME = '{ kind = "days_since", source = "last_order" }'


def declarations(value: object, preset: str | None = None) -> Declarations:
    """Check the setting ``declare`` and return its declarations by feature name.

    Args:
        value: a table, or text with a JSON object.
        preset: the preset, whose features have names, too.

    Raises:
        BadSetting: the value is neither, or a declaration is not valid. The error names the field.
    """
    table = {name: _fields(name, fields) for name, fields in _table(value).items()}
    features_of(table, preset)
    return table


def features_of(
    declarations: Mapping[str, Mapping[str, str | bool | int]], preset: str | None = None
) -> tuple[Feature, ...]:
    """Return the seven default features, then those of the preset, then the declared features.

    >>> features_of({"spend": {"kind": "sum", "source": "price"}})[-1] == Feature("spend", "sum", "price")
    True

    Raises:
        BadSetting: a declaration is not valid.
    """
    own = (
        # declared() checks the kind, the type and the encoding.
        Feature(
            name,
            cast(FeatureKind, fields["kind"]),
            cast(str, fields["source"]),
            cast(FeatureEncoding | None, fields.get("encoding")),
            cast(FieldType | None, fields.get("type")),
            cast(bool, fields.get("log", False)),
            cast(int | None, fields.get("quantile")),
            _days(cast(str, fields["window"])) if "window" in fields else None,
        )
        for name, fields in declarations.items()
    )
    return declared((*PRESET_FEATURES.get(preset, ()), *own))


def _check_field(setting: str, field: str, given: object) -> None:
    """Check the type of a field's value."""
    if field == "log":
        if not isinstance(given, bool):
            raise BadSetting(f"{setting}.{field}", given, "write true or false, without quotes")
    elif field == "quantile":
        if not isinstance(given, int) or isinstance(given, bool):
            raise BadSetting(f"{setting}.{field}", given, "give a whole number, such as quantile = 5")
    elif field == "window":
        if not isinstance(given, str) or not _WINDOW.fullmatch(given):
            raise BadSetting(f"{setting}.{field}", given, 'give a number of days, such as window = "90d"')
    elif not isinstance(given, str):
        raise BadSetting(f"{setting}.{field}", given, "give text, in quotes")


def _days(window: str) -> int:
    return int(window.removesuffix("d"))


def _table(value: object) -> Mapping[str, object]:
    table = value
    if isinstance(value, str):
        try:
            table = json.loads(value)
        except json.JSONDecodeError:
            table = None
    if not isinstance(table, Mapping):
        raise BadSetting(
            "declare",
            value,
            f"give a table of features, such as total_spend = {_EXAMPLE},"
            " in the environment as a JSON object",
        )
    return table


def _fields(name: str, fields: object) -> dict[str, str | bool | int]:
    setting = f"declare.{name}"
    if not isinstance(fields, Mapping):
        raise BadSetting(setting, fields, f"give a table with kind and source, such as {_EXAMPLE}")
    for field, given in fields.items():
        if field not in _FIELDS:
            raise BadSetting(f"{setting}.{field}", given, f"a feature has only {', '.join(_FIELDS)}")
        _check_field(setting, field, given)
    given_fields = dict(fields)
    if fields.get("kind") == "interval":
        given_fields.setdefault("source", COUNTED)  # its only source
    for field in ("kind", "source"):
        if field not in given_fields:
            example = _OF_TIME if fields.get("kind") == "days_since" else _EXAMPLE
            raise BadSetting(f"{setting}.{field}", None, f"it is missing, write for example {example}")
    return given_fields
