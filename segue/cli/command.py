"""Declares a command: its function, an example, and the settings that become options."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.models import OptionInfo

from segue.cli.plain_help import PlainCommand
from segue.config.command_line import BadUsage
from segue.config.load_settings import load_settings
from segue.config.settings import Settings

PANEL = "Settings (else from segue.toml and SEGUE_…)"
_CONFIG = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="the settings file [./segue.toml]", rich_help_panel=PANEL),
]
_DEBUG = Annotated[
    bool,
    typer.Option("--debug", metavar="", help="show where an error comes from", rich_help_panel=PANEL),
]
_ALLOW = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-kafka-option",
        metavar="NAME",
        help="let the settings file set this option of librdkafka, which could run code",
        rich_help_panel=PANEL,
        show_default=False,
    ),
]
BootstrapWarehouse = Annotated[
    str | None,
    typer.Option(metavar="PATH_OR_URL", help="needed after a bootstrap: the warehouse of this bootstrap"),
]
_PATHS = ("DIR", "FILE", "FILE…", "FOLDER", "FOLDER_OR_URL", "PATH", "PATH_OR_URL", "URI", "VERSION_OR_DIR")
_NEVER_EMPTY = {
    **dict.fromkeys(_PATHS, "name a path or an address"),
    "ID": "name a user",
    "NAME": "give a name",
    "PREFIX": "name a prefix",
}
"""By the metavar of an option or argument that must not be empty, what to give."""
_Function = Callable[..., int | None]


def flag(name: str, text: str) -> Any:
    """Declare an option without a value."""
    return typer.Option(name, metavar="", help=text)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that :mod:`segue.cli.commands` adds to the program."""

    function: _Function
    example: str
    group: str = ""

    @property
    def name(self) -> str:
        """The words after `segue` on the command line."""
        return f"{self.group} {self._last_word}".strip()

    @property
    def _last_word(self) -> str:
        return self.function.__name__.rstrip("_")

    def join(self, app: typer.Typer) -> None:
        """Add this command to the program, or to its group."""
        paragraphs = inspect.cleandoc(self.function.__doc__ or "").split("\n\n")
        text = "\n\n".join(_markup_free(" ".join(paragraph.split())) for paragraph in paragraphs)
        epilog = f"[bold]Example:[/bold] {_markup_free(self.example)}"
        app.command(self._last_word, cls=PlainCommand, help=text, epilog=epilog)(self.function)


def command(*uses: str, example: str, group: str = "") -> Callable[[_Function], Command]:
    """Make a function a command with the function's name (`list_` becomes `list`).

    The function's first parameter takes the settings. The function returns an exit code; None means 0.

    Args:
        uses: the settings that become options; :class:`~segue.config.settings.Settings` describes each.
        example: a line that works, shown at the end of ``--help``.
        group: the word before the command's name, for commands that belong together.
    """

    def declare(function: _Function) -> Command:
        return Command(_with_settings(function, uses), example, group)

    return declare


def _with_settings(function: _Function, uses: tuple[str, ...]) -> _Function:
    """Return the function with an option for each setting, in place of its first parameter."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    config = inspect.Parameter("config", keyword, default=None, annotation=_CONFIG)
    shared = [
        *(inspect.Parameter(name, keyword, default=None, annotation=_option(name)) for name in uses),
        config,
        inspect.Parameter("allow_kafka_option", keyword, default=None, annotation=_ALLOW),
        inspect.Parameter("debug", keyword, default=False, annotation=_DEBUG),
    ]

    @functools.wraps(function)
    def run(**given: object) -> int | None:
        options = {name: given.pop(name) for name in uses}
        file = given.pop("config")
        allowed = given.pop("allow_kafka_option")
        given.pop("debug")  # main looks for it, to report errors
        assert file is None or isinstance(file, str)
        assert allowed is None or isinstance(allowed, list)
        for parameter, value in [*((each, given[each.name]) for each in own), (config, file)]:
            _check_named(parameter, value)
        return function(load_settings(None if file is None else Path(file), options, allowed or ()), **given)

    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what Typer reads
        [parameter.replace(kind=keyword) for parameter in own] + shared
    )
    return run


def _check_named(parameter: inspect.Parameter, value: object) -> None:
    """Check that a path, a prefix, a name or an id is not empty, and has no NUL, which no path may have.

    The shell passes an empty text for an unset variable. An empty path would mean the working directory, an
    empty prefix all keys of a Redis.

    Raises:
        BadUsage: the value is empty, or has a NUL.
    """
    metadata = getattr(parameter.annotation, "__metadata__", ())
    info = next((each for each in metadata if hasattr(each, "metavar")), None)
    if info is None or info.metavar not in _NEVER_EMPTY:
        return
    is_option = isinstance(info, OptionInfo)
    name = f"option --{parameter.name.replace('_', '-')}" if is_option else f"argument {info.metavar}"
    texts = value if isinstance(value, list) else [value]
    wanted = _NEVER_EMPTY[info.metavar]
    for text in texts:
        if isinstance(text, str) and "\0" in text:
            raise BadUsage(f"{name} is {text!r}: {wanted} without a NUL character")
    if "" in texts:
        raise BadUsage(f"{name} is '': {wanted}; an unset variable gives an empty text")


def _option(name: str) -> object:
    field = Settings.model_fields[name]
    flag = f"--{name.replace('_', '-')}"
    default = field.get_default()
    shown = f" [{default}]" if isinstance(default, str | int | float) and default != "" else ""
    return Annotated[
        str | None,
        typer.Option(
            flag,
            metavar="NUMBER" if isinstance(default, int | float) else "TEXT",
            help=_markup_free(f"{field.description}{shown}"),
            rich_help_panel=PANEL,
            show_default=False,
        ),
    ]


def _markup_free(text: str) -> str:
    """Escape brackets, so that Rich shows them and does not read them as markup."""
    return text.replace("[", "\\[")
