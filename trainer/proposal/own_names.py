"""Names of fields and features, made from the names of columns."""

import re
from collections.abc import Collection

from schemas.event_fields import KNOWN
from schemas.features import FEATURE_NAMES
from trainer.proposal.looks.name_words import FOLDED
from trainer.warehouse.tables.table_layout import TABLES

_TAKEN = frozenset(
    ("id", "user_id", "created_at", "event_id", "type", "erased_at", "order_id", "updated_at", "items",
     "inventory_item_id", *KNOWN, *(n for t in TABLES.values() for c in t for n in c.names))
)  # fmt: skip
_TAKEN_FEATURES = frozenset(("user_id", "segment", "total_spend", *FEATURE_NAMES))
_LONGEST = 40


def feature_name(field: str, before: str, taken: Collection[str]) -> str:
    """The name of a feature that reads a field: the field's, with a word before it if that is taken.

    >>> feature_name("tenure", "customer", []), feature_name("segment", "customer", [])
    ('tenure', 'customer_segment')
    """
    is_taken = field in _TAKEN_FEATURES or field in taken or field.startswith("component_")
    return _free(f"{before}_{field}" if is_taken else field, taken)


def field_name(name: str, taken: Collection[str] = ()) -> str:
    """The name of a field, of small letters, digits and ``_``; no known field and none of ``taken`` has it.

    >>> field_name("Wealth Segment"), field_name("age"), field_name("Größe"), field_name("2nd", ["own_2nd"])
    ('wealth_segment', 'own_age', 'groesse', 'own_2nd_2')
    """
    found = re.sub(r"[^a-z0-9]+", "_", name.lower().translate(FOLDED)).strip("_")[:_LONGEST]
    if not found or not found[0].isalpha() or found in _TAKEN:
        found = f"own_{found}".rstrip("_")
    return _free(found, taken)


def _free(name: str, taken: Collection[str]) -> str:
    number, free = 2, name
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free
