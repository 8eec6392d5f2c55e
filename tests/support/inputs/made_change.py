"""A handmade change, with the fields that a test sets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.outputs.segment_change import Cause, SegmentChange

AT = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)


def a_change(**fields: Any) -> SegmentChange:
    """Return a change of a user whom an order moved from segment 0 to segment 1."""
    return SegmentChange(
        **{
            "kind": "moved",
            "event_id": "0" * 32,
            "user_id": "7",
            "sequence": 2,
            "previous_segment": 0,
            "segment": 1,
            "segment_name": "older men",
            "model_version": "cf241a047c61",
            "activation": 3,
            "occurred_at": AT,
            "emitted_at": AT,
            "provisional": False,
            "missing": (),
            "features": {"age": 31, "total_orders": 2},
            "components": (0.5, -1.25),
            "distance": 0.75,
            "margin": 0.5,
            "similar_users": (),
            "cause": Cause(type="order", topic="orders", partition=2, offset=118),
            **fields,
        }
    )
