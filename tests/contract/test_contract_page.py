"""docs/contract.md says what the code does."""

import re
from pathlib import Path

import pytest

from schemas.inputs.producer_types import OrderEvent, OrderItem, SignupEvent
from schemas.outputs.headers import DEAD_LETTER_HEADERS, ERASED_AT, POSITIONS, REKEYED_FROM
from schemas.outputs.segment_change import SegmentChange
from schemas.topics import Topics, topic_configs
from tests.support.inputs.bad_events import BAD_RECORDS, BAD_WHERE_READ

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`\n]+)`", PAGE)
REFUSED = PAGE.partition("## What is refused")[2].partition("### Dead letters")[0]


def test_every_reason_on_the_page_is_one_that_is_given() -> None:
    given = [bad.reason for bad in [*BAD_RECORDS, *BAD_WHERE_READ]]
    reasons = [reason for reason in re.findall(r"`([^`]+)`", REFUSED) if reason.count(" ") > 1]
    assert len(reasons) > 20
    for reason in reasons:
        begin, _, end = reason.partition("…")
        if reason.startswith("the value is not valid JSON: "):
            continue
        assert any(one.startswith(begin) and one.endswith(end) for one in given), reason


@pytest.mark.parametrize(
    "names",
    [
        topic_configs(Topics()),
        DEAD_LETTER_HEADERS,
        (POSITIONS, ERASED_AT, REKEYED_FROM, Topics().rekeyed),
        SegmentChange.__struct_fields__,
        SignupEvent.__struct_encode_fields__,
        OrderEvent.__struct_encode_fields__,
        [f"items[].{name}" for name in OrderItem.__struct_fields__],
    ],
)
def test_every_name_is_on_the_page(names: list[str]) -> None:
    assert [name for name in names if name not in CODE] == []


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    for link in links:
        assert (ROOT / "docs" / link).exists(), link
