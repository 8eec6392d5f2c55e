"""Refuses query parameters that a route does not have: a misspelled filter must not be ignored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from fastapi import Request
from fastapi.routing import APIRoute

from segue.config.command_line import BadUsage


def check_parameters(request: Request) -> None:
    """Check the names of a request's query parameters.

    Raises:
        BadUsage: the route has no parameter of this name.
    """
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    check_names(request.query_params, [field.alias for field in route.dependant.query_params])


def check_names(given: Iterable[str], known: Sequence[str]) -> None:
    """Check the names of parameters.

    Raises:
        BadUsage: one is not known.
    """
    for name in given:
        if name not in known:
            raise BadUsage(_sentence(name, known))


def _sentence(name: str, known: Sequence[str]) -> str:
    """Say which name is meant.

    >>> _sentence("agee", ["age", "gender"])
    "there is no parameter 'agee': write age"
    >>> _sentence("x", [])
    "there is no parameter 'x': this address has no parameters"
    """
    near = get_close_matches(name, known, 1)
    fix = f"write {near[0]}" if near else f"there are {', '.join(known)}"
    return f"there is no parameter {name!r}: {fix if known else 'this address has no parameters'}"
