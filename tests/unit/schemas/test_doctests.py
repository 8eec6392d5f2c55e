"""The examples in the docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import schemas

MODULES = [f"schemas.{module.name}" for module in pkgutil.iter_modules(schemas.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    examples = [
        example
        for name in MODULES
        for found in doctest.DocTestFinder().find(importlib.import_module(name))
        for example in found.examples
    ]
    assert len(examples) >= 6
