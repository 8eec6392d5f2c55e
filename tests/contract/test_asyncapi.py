"""The AsyncAPI document: valid by AsyncAPI's own schema, and without a reference into nothing."""

import copy
import json
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator

from schemas import generate
from schemas.documents.asyncapi import asyncapi
from schemas.outputs import headers
from schemas.topics import Topics, topic_configs
from streamer.segment.active_model import BootstrapRecord

FOLDER = Path(generate.__file__).parent
OFFICIAL = Path(__file__).parent.parent / "data" / "asyncapi" / "3.0.0.json"
DOCUMENT: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    return Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def test_the_document_is_valid(official: Draft7Validator) -> None:
    assert [error.message for error in official.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("info",), {}),
        (("operations", "readOrders", "action"), "subscribe"),
        (("channels", "orders", "bindings", "kafka", "topicConfiguration", "cleanup.policy"), "delete"),
        (("components", "messages", "order", "payload"), 7),
    ],
)
def test_the_official_schema_would_see_a_fault(
    official: Draft7Validator, path: tuple[str, ...], wrong: Any
) -> None:
    document = copy.deepcopy(DOCUMENT)
    parent = reduce(lambda node, name: node[name], path[:-1], document)
    parent[path[-1]] = wrong
    assert not official.is_valid(document)


def test_every_reference_leads_somewhere() -> None:
    references = list(_references(DOCUMENT))
    assert len(references) > 20
    for reference in references:
        if reference.startswith("#/"):
            reduce(lambda node, name: node[name], reference[2:].split("/"), DOCUMENT)
        else:
            assert (FOLDER / reference).is_file(), reference


def test_every_topic_is_a_channel_with_its_policy() -> None:
    configs = topic_configs(Topics())
    told = {channel["address"]: channel["bindings"]["kafka"] for channel in DOCUMENT["channels"].values()}
    assert told.keys() == configs.keys()
    for topic, binding in told.items():
        assert binding["topic"] == topic
        assert binding["topicConfiguration"]["cleanup.policy"] == [configs[topic]["cleanup.policy"]]


def test_every_schema_file_is_a_payload() -> None:
    told = {reference.rpartition("/")[2] for reference in _references(DOCUMENT) if reference.startswith("./")}
    assert told == {path.name for path in (FOLDER / "json").iterdir()}


def test_the_dead_letters_headers_are_all_told() -> None:
    told = DOCUMENT["components"]["messages"]["deadLetter"]["headers"]["properties"]
    assert tuple(told) == headers.DEAD_LETTER_HEADERS


def test_the_bootstrap_record_is_told_as_it_is() -> None:
    ours = DOCUMENT["components"]["messages"]["bootstrap"]["payload"]
    theirs = msgspec.json.schema(BootstrapRecord)["$defs"]["BootstrapRecord"]
    assert ours["properties"].keys() == theirs["properties"].keys()
    assert ours["required"] == theirs["required"]


def test_the_document_is_made_anew_each_time() -> None:
    first = asyncapi()
    first["channels"].clear()
    assert asyncapi() == DOCUMENT


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
