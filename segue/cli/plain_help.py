"""Typer's commands, with `--help` shown like all other options without a value."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class PlainCommand(TyperCommand):
    """A command of the program."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option without the word `<bool>`."""
        return _plain(super().get_help_option(ctx))


class PlainGroup(TyperGroup):
    """The program, or a group of its commands."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option without the word `<bool>`."""
        return _plain(super().get_help_option(ctx))


def _plain(option: Any) -> Any:
    if option is not None:
        option.metavar = ""
    return option
