"""docs/triggers.md says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from schemas.topics import Topics, trigger_topic_configs
from segue.triggers.file.trigger_file import _FIELDS, Trigger, load_triggers
from segue.triggers.lane_transaction import TRIGGER
from segue.triggers.ledger_records import DECIDING_KEY, PLACE_KEY
from segue.triggers.policy import REASONS, Entry, Reason
from segue.triggers.sending.courier import MAX_PAUSE_S, MIN_TRIES
from segue.triggers.sending.webhook_body import Receiver
from segue.triggers.trigger_lane import MAX_PENDING
from tests.support.inputs.made_change import a_change

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "triggers.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", PAGE))
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
ENVIRONMENT = {
    "WIN_BACK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/T0/B0/x",
    "BRAZE_AUTHORIZATION": "Bearer x",
}


@pytest.mark.parametrize("text", EXAMPLES, ids=["webhook", "slack", "braze"])
def test_every_example_is_a_file_whose_body_is_json(text: str, tmp_path: Path) -> None:
    file = tmp_path / "triggers.toml"
    file.write_text(text, encoding="utf-8")
    for trigger in load_triggers(file).triggers:
        message = Receiver(file, trigger, "/segue/", ENVIRONMENT).message(a_change(user_id='7"'))
        assert '7\\"' in json.dumps(json.loads(message.body))


def test_every_field_reason_and_topic_is_on_the_page() -> None:
    names = [*_FIELDS, *REASONS, *trigger_topic_configs(Topics()), *Entry.__struct_fields__, TRIGGER]
    assert [name for name in names if name not in CODE] == []
    assert set(REASONS) == set(get_args(Reason))
    assert {PLACE_KEY.decode(), DECIDING_KEY.decode()} <= CODE


def test_the_defaults_and_bounds_are_those_of_the_code() -> None:
    trigger = Trigger(name="a", on="entering")
    fields = PAGE.partition("## A trigger's fields")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]*) \|", fields, re.MULTILINE))
    assert rows["reentry"] == f"`{trigger.reentry}`"
    assert rows["max_age"] == f"`{trigger.max_age.days}d`"
    assert rows["timeout"] == f"`{trigger.timeout.seconds}s`"
    assert rows["give_up_after"] == f"`{trigger.give_up_after.seconds // 3600}h`"
    assert f"| {trigger.rate:g}, {trigger.concurrency} |" in PAGE
    assert set(re.findall(r'"([a-z]+)"', rows["causes"])) == trigger.causes
    assert f"up to {MAX_PAUSE_S:g} s" in PAGE
    assert f"at most {MAX_PENDING:,} of a partition" in PAGE
    assert MIN_TRIES == 5
