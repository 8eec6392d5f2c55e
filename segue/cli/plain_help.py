"""Typer's commands, whose help shows no `<bool>` after an option without a value."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class PlainCommand(TyperCommand):
    """A command of the program."""

    def get_params(self, ctx: Any) -> Any:
        """Return the options and arguments without the word `<bool>`."""
        return _plain(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """The program, or a group of its commands."""

    def get_params(self, ctx: Any) -> Any:
        """Return the options without the word `<bool>`."""
        return _plain(super().get_params(ctx))


def _plain(options: Any) -> Any:
    for option in options:
        if getattr(option, "is_flag", False):
            option.metavar = ""
    return options
