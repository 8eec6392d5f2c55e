"""The text of a ``segue.toml`` with comments."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.printable import printable_cell
from trainer.proposal.proposed_settings import Proposal

_WIDTH = 98
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def toml_text(proposal: Proposal, head: list[str]) -> str:
    """Write a proposal as a settings file.

    Args:
        proposal: the settings.
        head: the first lines of the file, as sentences; an empty one is an empty line.
    """
    return "\n".join([*_lines(proposal, head), ""])


def _lines(proposal: Proposal, head: list[str]) -> Iterator[str]:
    settings = proposal.settings
    for sentence in (*head, *proposal.reasons.get("", [])):
        yield from _comment(sentence)
    for warning in proposal.warnings:
        yield from _comment(f"CHECK: {warning}")
    yield ""
    yield from _about("features", proposal)
    yield _array("features", settings["features"])
    yield from _left_out(proposal)
    for place in ("preset", "exclude_statuses"):
        if place in proposal.reasons or place in proposal.others:
            yield ""
            yield from _about(place, proposal)
    if settings.get("whole_ids"):
        yield ""
        yield from _about("whole_ids", proposal)
        yield "whole_ids = true"
    if "declare" in settings:
        yield from ("", "[declare]")
        for name, fields in settings["declare"].items():
            written = ", ".join(f"{key} = {_text(value)}" for key, value in fields.items())
            yield f"{_key(name)} = {{ {written} }}"
    if "csv" in settings:
        yield from ("", "[csv]")
        for key, value in settings["csv"].items():
            yield f"{key} = {_text(value)}" if isinstance(value, str) else _array(key, value)
    yield from _tables(proposal)


def _left_out(proposal: Proposal) -> Iterator[str]:
    if any(proposal.left_out.values()):
        yield from _comment("Columns that are no features:")
    for table, columns in proposal.left_out.items():
        by_reason: dict[str, list[str]] = {}
        for column, why in columns.items():
            by_reason.setdefault(why, []).append(column)
        for why, names in by_reason.items():
            yield from _comment(f"  {table}: {_few(names)}: {why}")


def _tables(proposal: Proposal) -> Iterator[str]:
    settings = proposal.settings
    tables: Mapping[str, str] = settings.get("tables", {})
    if tables or _reasons_of_tables(proposal):
        yield from ("", "[tables]")
    for table in dict.fromkeys((*tables, *_reasons_of_tables(proposal))):
        yield from _about(f"tables.{table}", proposal)
        if table in tables:
            name = tables[table]
            yield f"{table} = {_text(name) if chr(10) not in name else _long_text(name)}"
    columns: Mapping[str, Mapping[str, str]] = settings.get("columns", {})
    for table, names in columns.items():
        yield from ("", f"[columns.{table}]")
        for key, name in names.items():
            yield f"{_key(key)} = {_text(name)}"


def _reasons_of_tables(proposal: Proposal) -> list[str]:
    return [place.removeprefix("tables.") for place in proposal.reasons if place.startswith("tables.")]


def _about(place: str, proposal: Proposal) -> Iterator[str]:
    for sentence in proposal.reasons.get(place, []):
        yield from _comment(sentence)
    for line in proposal.others.get(place, []):
        yield f"# {printable_cell(line)}"


def _comment(sentence: str) -> Iterator[str]:
    if not sentence:
        yield "#"
        return
    indent = " " * (len(sentence) - len(sentence.lstrip(" ")))
    yield from textwrap.wrap(
        printable_cell(sentence.strip(" ")),
        _WIDTH,
        initial_indent=f"# {indent}",
        subsequent_indent=f"#   {indent}",
        break_on_hyphens=False,
    )


def _few(names: list[str]) -> str:
    most = 12
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _array(key: str, values: list[Any]) -> str:
    one_line = f"{key} = [{', '.join(map(_text, values))}]"
    if len(one_line) <= _WIDTH:
        return one_line
    return "\n".join((f"{key} = [", *(f"    {_text(value)}," for value in values), "]"))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    r"""A text of TOML on one line.

    >>> _text('a"b\x1b')
    '"a\\"b\\u001b"'
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{_CONTROL.sub(_escape, escaped)}"'


def _long_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"""', '""\\"')
    return f'"""\n{_CONTROL.sub(_escape, escaped)}\n"""'


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
