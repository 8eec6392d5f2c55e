"""Records in other systems' forms (tests/data/events), and the settings in docs/events.md that read them."""

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schemas.features import Feature, declared
from schemas.inputs.forms.event_form import EventForm, EventForms, Source
from segue.config.others.event_forms import forms_of

ROOT = Path(__file__).parents[3]
FEATURES = declared(
    [
        Feature("plan", "attribute", "user.plan"),
        Feature("channel", "last", "order.channel"),
        Feature("weight", "sum", "item.weight"),
        Feature("spend", "sum", "order_value"),
        Feature("products", "distinct", "product_id"),
        Feature("state", "last", "status"),
    ]
)


@dataclass(frozen=True)
class Sample:
    """A record, and the same event in Segue's own form; None if the record is passed over."""

    what: str
    example: str
    topic: Source
    key: bytes | None
    value: bytes | None
    own: bytes | None

    @property
    def form(self) -> EventForm:
        form = self.forms.signups if self.topic == "signups" else self.forms.orders
        assert form is not None
        return form

    @property
    def forms(self) -> EventForms:
        return forms_of(settings_of(self.example)["events"])

    @property
    def fields(self) -> Any:
        assert self.value is not None
        return json.loads(self.value)


@cache
def settings_of(example: str) -> dict[str, Any]:
    """Return the settings under a heading of docs/events.md."""
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    found = re.search(rf"^##+ {example}\n.*?```toml\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    assert found is not None, f"docs/events.md has no example under {example}"
    return tomllib.loads(found[1])


def _samples() -> list[Sample]:
    samples = []
    for file in sorted((ROOT / "tests" / "data" / "events").glob("*.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        for each in told["records"]:
            key, record, own = each["key"], each["record"], each.get("own")
            samples.append(
                Sample(
                    each["what"],
                    told["example"],
                    each["topic"],
                    None if key is None else key.encode(),
                    None if record is None else json.dumps(record).encode(),
                    None if own is None else json.dumps(own).encode(),
                )
            )
    return samples


SAMPLES = _samples()
EVENTS = [sample for sample in SAMPLES if sample.own is not None]
PASSED_OVER = [sample for sample in SAMPLES if sample.own is None]


def name_of(sample: Sample) -> str:
    """Return the name of a test's case."""
    return f"{sample.example}: {sample.what}"
