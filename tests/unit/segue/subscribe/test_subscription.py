from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import BadSetting
from segue.subscribe import changes
from segue.subscribe.segment_by_name import segment_number
from segue.subscribe.subscription import Subscription
from tests.support.worlds.made_up_release import a_release


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"start": "now"}, "setting start is 'now': give new, oldest or states"),
        ({"only": "moving"}, "setting only is 'moving': give entering or leaving"),
        ({"only": "\x1b[31m"}, "setting only is '\\\\x1b[31m': give entering or leaving"),
        ({"group": ""}, "setting group is '': an empty text names nothing"),
        ({"memory": " "}, "setting memory is ' ': an empty text names nothing"),
        ({"segment": 1.5}, "setting segment is 1.5: give a segment's number or its name"),
        ({"segment": True}, "setting segment is True: give a segment's number or its name"),
    ],
)
def test_what_cannot_be_subscribed_to(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadSetting) as caught:
        next(changes("127.0.0.1:1", **options))
    assert str(caught.value) == sentence


def test_the_login_is_not_shown() -> None:
    assert "secret" not in repr(Subscription("a:1", kafka_options={"sasl.password": "secret"}))


def test_a_segment_is_found_by_its_name() -> None:
    assert segment_number("segment 2", a_release()) == 2


def test_an_unknown_name_is_answered_with_the_names() -> None:
    release = a_release()
    with pytest.raises(BadSetting) as caught:
        segment_number("loyal\x1b[31m", release)
    assert str(caught.value) == (
        f"setting segment is 'loyal\\\\x1b[31m': release {release.version} has no segment of this name; it"
        " has 0 segment 0, 1 segment 1, 2 segment 2, 3 segment 3"
    )
