"""The forms of events in a place: kept as they are, and not mentioned in a place of Segue's own form."""

import json

from msgspec.structs import replace

from streamer.place.place import FoldSettings, Place, decode, encode, using
from tests.support.inputs.event_samples import EVENTS
from tests.support.worlds.made_up_release import an_active_model

PLACE = Place(1, "w", {}, {}, FoldSettings(4), using(None, an_active_model()))


def test_a_place_of_segue_s_own_form_has_the_bytes_of_before() -> None:
    assert "events" not in json.loads(encode(PLACE))["settings"]


def test_a_place_keeps_every_form() -> None:
    for forms in {sample.forms for sample in EVENTS}:
        place = replace(PLACE, settings=replace(PLACE.settings, events=forms))
        assert decode(encode(place)) == place
        assert decode(encode(place)).settings.forms == forms
